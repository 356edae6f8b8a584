"""Holds a server to its own description: schemathesis sends what /api/async/openapi.json allows, and what it does not.

    python3 tests/clients/openapi_check.py PROGRAM FOLDER

PROGRAM is `assay`, which is started over a folder and ports of its own; FOLDER is where schemathesis is installed, if it
is not yet; it takes Python 3.11 or newer. The exit code is that of schemathesis: 0 nothing was found.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE = "schemathesis==4.32.5"
# What is asked of every answer. None is a fault of the server; status, type, headers and shape are described.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
]
# Requests for each address in each phase, and seconds for each request and for all of them.
EXAMPLES = 40
REQUEST_S = 30
ALL_S = 170
# When it is given up: a stream that does not end is waited for.
GIVE_UP_S = 300
# The events of jobs that wait behind a pause do not end.
LEFT_OUT = "/pause$"
# Stands before the address in what the server says of itself.
HTTP = "HTTP/JSON"
ANY_PORT = "127.0.0.1:0"


def install(folder):
    """Gets schemathesis in the wanted version into an environment of its own; answers the program."""
    python, mark = folder / "bin" / "python", folder / "installed.txt"
    if not mark.is_file() or mark.read_text() != PACKAGE:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", PACKAGE], check=True)
        mark.write_text(PACKAGE)
    return folder / "bin" / "schemathesis"


def start(program, data):
    """Starts a server; answers it and where it serves HTTP/JSON."""
    ports = ["--listen", ANY_PORT, "--http", ANY_PORT, "--admin", ANY_PORT]
    words = [program, "dev", "--data-dir", data, *ports]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    for line in server.stdout:
        if HTTP in line:
            return server, line.split()[1]
    sys.exit(f"the server ended with {server.wait()} before it was ready")


def check(schemathesis, url, folder):
    """Sends requests for a few minutes; answers the exit code."""
    words = [schemathesis, "run", f"{url}/openapi.json", "--checks", ",".join(CHECKS)]
    words += ["--exclude-path-regex", LEFT_OUT]
    words += ["--max-examples", str(EXAMPLES), "--request-timeout", str(REQUEST_S), "--max-time", str(ALL_S)]
    # The same requests each time, but for names that the server makes up.
    words += ["--seed", "1", "--generation-deterministic", "--continue-on-failure"]
    return subprocess.run(words, cwd=folder, check=False, timeout=GIVE_UP_S).returncode


def main(program, environment):
    """All of it; answers the exit code."""
    schemathesis = install(Path(environment).resolve())
    with tempfile.TemporaryDirectory() as folder:
        server, url = start(Path(program).resolve(), Path(folder) / "data")
        try:
            return check(schemathesis, url, folder)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
