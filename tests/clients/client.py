"""A client of Assay in plain Python: gRPC, and nothing of Assay but the files below proto/.

It has a file verified and watches that to its end, stops a job, and puts a dead letter back, against `assay dev`:

    python3 -m venv target/clients
    target/clients/bin/pip install -r tests/clients/requirements.txt
    target/clients/bin/python tests/clients/client.py photo.jpg

Exit codes: 0 all went as it should, 1 it did not, 2 the command line is wrong.
"""

import argparse
import importlib
import json
import sys
import tempfile
import time
import uuid
from importlib.resources import files
from pathlib import Path

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_tools import protoc

PROTO = Path(__file__).resolve().parents[2] / "proto"
SERVER = "127.0.0.1:7400"

# The most that one message of an upload may hold.
CHUNK_BYTES = 256 * 1024
# How long an answer may take, and how long a job may take to its end.
CALL_S = 30
WATCH_S = 120
# So far ahead that it will not run meanwhile.
LATER_S = 3600
# So little that no attempt can end well.
TOO_LITTLE = Duration(nanos=1_000_000)


class Unexpected(Exception):
    """The server did something else than it should."""


class Assay:
    """The calls of a server that this client makes."""

    def __init__(self, channel):
        self.words = importlib.import_module("assay.v1.jobs_pb2")
        self.payloads = importlib.import_module("assay.v1.payload_pb2")
        self.contents = importlib.import_module("assay.v1.content_pb2")
        jobs = importlib.import_module("assay.v1.jobs_pb2_grpc")
        contents = importlib.import_module("assay.v1.content_pb2_grpc")
        self.jobs = jobs.JobServiceStub(channel)
        self.store = contents.ContentServiceStub(channel)

    def upload(self, path):
        """Stores a file, and answers its name."""

        def parts():
            metadata = self.contents.ContentMetadata(file_name=path.name, size_bytes=path.stat().st_size)
            yield self.contents.UploadContentRequest(metadata=metadata)
            with path.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield self.contents.UploadContentRequest(chunk=chunk)

        return self.store.UploadContent(parts(), timeout=CALL_S).content_id

    def submit(self, content_id, **fields):
        """Submits a verification. Under its request id it could be repeated without making a second job."""
        payload = self.payloads.ContentVerification(content_id=content_id)
        request = self.words.SubmitJobRequest(request_id=str(uuid.uuid4()), content_verification=payload, **fields)
        return self.jobs.SubmitJob(request, timeout=CALL_S).job

    def watch(self, job_id, after_event_id=""):
        """Prints what happens to a job, and answers the job as it ended."""
        request = self.words.WatchJobRequest(job_id=job_id, after_event_id=after_event_id)
        job = None
        for message in self.jobs.WatchJob(request, timeout=WATCH_S):
            if message.HasField("event"):
                event = message.event
                say("event", f"{event.percent:5.1f} % {self.state(event)} {event.step}")
            else:
                job = message.snapshot.job
        if job is None:
            raise Unexpected(f"the stream of job {job_id} ended before the job")
        return job

    def result(self, job_id):
        """The result of a job that succeeded, as JSON."""
        request = self.words.GetJobResultRequest(job_id=job_id)
        return json.loads(self.jobs.GetJobResult(request, timeout=CALL_S).json)

    def cancel(self, job_id):
        """Stops a job."""
        return self.jobs.CancelJob(self.words.CancelJobRequest(job_id=job_id), timeout=CALL_S)

    def redrive(self, job_id):
        """Puts a failed or dead job back into its queue."""
        return self.jobs.RetryJob(self.words.RetryJobRequest(job_id=job_id), timeout=CALL_S)

    def state(self, job):
        """Where a job stands, such as `queued`."""
        return self.words.JobState.Name(job.state).removeprefix("JOB_STATE_").lower()

    def expect(self, job, state):
        """Fails unless the job stands where it should."""
        if self.state(job) != state:
            raise Unexpected(f"job {job.id} is {self.state(job)}, not {state}: {job.failure.message}")


def verify(assay, content_id):
    """A verification from its submit to its verdict."""
    job = assay.submit(content_id)
    say("submitted", job.id)
    assay.expect(assay.watch(job.id), "succeeded")
    say("verdict", assay.result(job.id)["verdict"]["label"])


def stop(assay, content_id):
    """A job that waits for its time is stopped before it."""
    later = Timestamp(seconds=int(time.time()) + LATER_S)
    job = assay.submit(content_id, due_time=later)
    assay.expect(job, "scheduled")
    assay.expect(assay.cancel(job.id), "cancelled")
    say("cancelled", job.id)
    try:
        assay.result(job.id)
    except grpc.RpcError as refused:
        say("refused", f"its result: {told(refused)}")
    else:
        raise Unexpected(f"job {job.id} was stopped and has a result")


def put_back(assay, content_id):
    """A job that may fail once becomes a dead letter; put back, it is tried again."""
    job = assay.submit(content_id, attempts_max=1, attempt_timeout=TOO_LITTLE)
    dead = assay.watch(job.id)
    assay.expect(dead, "dead_lettered")
    say("dead", f"{job.id} after {dead.attempt} attempt: {dead.failure.message}")
    back = assay.redrive(job.id)
    if back.generation <= dead.generation:
        raise Unexpected(f"job {job.id} was put back and is still of generation {back.generation}")
    say("redriven", f"{job.id} as generation {back.generation}")
    # Only what happened since: the events before are known already.
    assay.expect(assay.watch(job.id, after_event_id=dead.event_id), "dead_lettered")


def generate(folder):
    """Makes Python modules of all proto files, and has them found."""
    protos = sorted(str(path) for path in PROTO.rglob("*.proto"))
    well_known = files("grpc_tools") / "_proto"
    places = [f"-I{PROTO}", f"-I{well_known}", f"--python_out={folder}", f"--grpc_python_out={folder}"]
    if protoc.main(["protoc", *places, *protos]) != 0:
        raise Unexpected(f"the files below {PROTO} can't be read")
    sys.path.insert(0, folder)


def say(step, text):
    """One line, at once."""
    print(f"{step:<10} {text}", flush=True)


def told(error):
    """What a call was refused with."""
    return f"{error.code().name}: {error.details()}"


def tour(server, path):
    """All of it, one after the other."""
    with tempfile.TemporaryDirectory() as folder, grpc.insecure_channel(server) as channel:
        generate(folder)
        assay = Assay(channel)
        content_id = assay.upload(path)
        say("stored", content_id)
        verify(assay, content_id)
        stop(assay, content_id)
        put_back(assay, content_id)


def main():
    """The command line; answers the exit code."""
    parser = argparse.ArgumentParser(description="Has Assay verify a file, stop a job and put a dead letter back.")
    parser.add_argument("file", type=Path, help="what is to be verified")
    parser.add_argument("--server", default=SERVER, help="where the server is (default: %(default)s)")
    words = parser.parse_args()
    try:
        tour(words.server.removeprefix("http://"), words.file)
    except grpc.RpcError as error:
        print(f"the server refused: {told(error)}", file=sys.stderr)
        return 1
    except (Unexpected, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
