"""Drives Celery for `make bench-peers MODE=full`: one producer or one worker per process.

It is told what to do as every driver of the bench is (src/peers/role.rs): options on the command line; it says
"ready", waits for a line "go", a producer says "submitted" when every job is confirmed, and the process ends when its
input does. Times are noted as lines `<word> <job id> <microseconds since the epoch>`.
"""

import argparse
import json
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from celery import Celery
from celery.signals import worker_ready
from kombu.utils.uuid import uuid

# Celery waits for the confirm of each publish, so a job without an answer takes a thread. More are slower.
PRODUCER_THREADS_MAX = 16
# Deliveries that a worker is sent ahead, about.
PREFETCH = 128


def orders():
    parser = argparse.ArgumentParser()
    parser.add_argument('role', choices=['producer', 'worker'])
    for text in ['address', 'broker', 'queue', 'add', 'pool']:
        parser.add_argument(f'--{text}', required=True)
    for number in ['jobs', 'batch', 'window', 'rate-hz', 'payload-bytes', 'concurrency']:
        parser.add_argument(f'--{number}', type=int, required=True)
    parser.add_argument('--journal')
    return parser.parse_args()


ORDERS = orders()
IS_WORKER = ORDERS.role == 'worker'
BATCH = ORDERS.batch if ORDERS.add == 'bulk' else 1
PRODUCER_THREADS = max(1, min(PRODUCER_THREADS_MAX, ORDERS.window // BATCH))
JOURNAL = ORDERS.journal and os.open(ORDERS.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

app = Celery('peers')
app.conf.update(
    broker_url=ORDERS.broker,
    broker_transport_options={'confirm_publish': True},
    broker_pool_limit=PRODUCER_THREADS,
    task_default_queue=ORDERS.queue,
    task_default_queue_type='quorum',
    worker_detect_quorum_queues=True,
    task_acks_late=True,
    # Who submits waits for no result; one with a result backend would also subscribe to each job.
    result_backend=f'redis://{ORDERS.address}/0' if IS_WORKER else None,
    worker_prefetch_multiplier=max(1, PREFETCH // ORDERS.concurrency),
    worker_enable_remote_control=False,
    worker_redirect_stdouts=False,
)


def say(word):
    print(word, flush=True)


def now_us():
    return time.time_ns() // 1000


def note(word, job_id, at_us):
    if JOURNAL is not None:
        os.write(JOURNAL, f'{word} {job_id} {at_us}\n'.encode())


@app.task(bind=True, name='job')
def job(self, filling):
    note('started', self.request.id, now_us())
    self.update_state(state='PROGRESS', meta={'percent': 100})
    return {'attempt': 1, 'token': 1}


# The JSON of the arguments is as long as asked for.
ARGUMENTS = {'filling': 'x' * (ORDERS.payload_bytes - len(json.dumps({'filling': ''})))}


def submit(job_id=None, producer=None):
    job.apply_async(kwargs=ARGUMENTS, task_id=job_id, producer=producer)


def submit_many(count):
    """So many over one connection, which is what Celery has for many."""
    with app.producer_or_acquire() as producer:
        for _ in range(count):
            submit(producer=producer)


def submit_all(threads):
    """As fast as it goes."""
    counts = [min(BATCH, ORDERS.jobs - begin) for begin in range(0, ORDERS.jobs, BATCH)]
    # The list is what waits for all, and raises what went wrong.
    list(threads.map(submit_many, counts))


def submit_paced(threads):
    """So many a second, whether or not the earlier ones are confirmed."""
    started, answers = time.monotonic(), []
    for place in range(ORDERS.jobs):
        time.sleep(max(0, started + place / ORDERS.rate_hz - time.monotonic()))
        job_id = uuid()
        note('sent', job_id, now_us())
        answers.append(threads.submit(submit, job_id))
    for answer in answers:
        answer.result()


def produce():
    with app.producer_or_acquire() as producer:
        producer.connection.ensure_connection(max_retries=3)
    say('ready')
    if sys.stdin.readline() != 'go\n':
        sys.exit('not told to go')
    with ThreadPoolExecutor(PRODUCER_THREADS) as threads:
        (submit_paced if ORDERS.rate_hz else submit_all)(threads)
    say('submitted')
    sys.stdin.read()


def work():
    def end_with_input():
        sys.stdin.read()
        # Its own way to end in order.
        os.kill(os.getpid(), signal.SIGTERM)

    @worker_ready.connect
    def ready(**_):
        say('ready')
        threading.Thread(target=end_with_input, daemon=True).start()

    app.worker_main([
        '--quiet', 'worker', '--loglevel', 'WARNING', '--pool', ORDERS.pool, '--concurrency', str(ORDERS.concurrency),
        '--without-gossip', '--without-mingle', '--without-heartbeat',
    ])


work() if IS_WORKER else produce()
