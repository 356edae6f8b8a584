// Drives BullMQ for `make bench-peers`: one producer or one worker per process.
//
// It is told what to do as every driver of the bench is (src/peers/role.rs): options on the command line; it says
// "ready", waits for a line "go", a producer says "submitted" when every job is acknowledged, and the process ends when
// its input does. Times are noted as lines `<word> <job id> <microseconds since the epoch>`.

import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { Queue, Worker } from 'bullmq';

const text = { type: 'string' };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    address: text, queue: text, jobs: text, add: text, batch: text, window: text,
    'rate-hz': text, 'payload-bytes': text, concurrency: text, journal: text,
  },
});
const [role] = positionals;
const [host, port] = values.address.split(':');
const connection = { host, port: Number(port) };
const jobs = Number(values.jobs);
const batch = values.add === 'bulk' ? Number(values.batch) : 1;
const window = Number(values.window);
const rate = Number(values['rate-hz']);

const nowUs = () => Math.round((performance.timeOrigin + performance.now()) * 1000);
const say = (word) => process.stdout.write(`${word}\n`);

const lines = createInterface({ input: process.stdin });
const notes = [];
const note = (word, id, atUs) => {
  if (values.journal) notes.push(`${word} ${id} ${atUs}\n`);
};
const writeNotes = () => {
  if (values.journal) appendFileSync(values.journal, notes.splice(0).join(''));
};

// The JSON of the data is as long as asked for.
const data = { filling: 'x'.repeat(Number(values['payload-bytes']) - JSON.stringify({ filling: '' }).length) };

async function submit(queue, count) {
  const sentUs = nowUs();
  if (count === 1 && batch === 1) {
    const job = await queue.add('job', data);
    note('sent', job.id, sentUs);
    return;
  }
  await queue.addBulk(Array.from({ length: count }, () => ({ name: 'job', data })));
}

// As fast as the window allows: never more than `window` jobs without an answer.
async function submitAll(queue) {
  let next = 0;
  const lane = async () => {
    while (next < jobs) {
      const count = Math.min(batch, jobs - next);
      next += count;
      await submit(queue, count);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.floor(window / batch)) }, lane));
}

// So many a second, whether or not the earlier ones are answered.
async function submitPaced(queue) {
  const startedMs = performance.now();
  const open = [];
  for (let sent = 0; sent < jobs; ) {
    const due = Math.min(jobs, Math.floor(((performance.now() - startedMs) * rate) / 1000) + 1);
    for (; sent < due; sent += 1) open.push(submit(queue, 1));
    await sleep(1);
  }
  await Promise.all(open);
}

async function produce() {
  const queue = new Queue(values.queue, { connection });
  await queue.waitUntilReady();
  say('ready');
  lines.once('line', async () => {
    await (rate > 0 ? submitPaced(queue) : submitAll(queue));
    writeNotes();
    say('submitted');
  });
  return queue;
}

async function work() {
  const handle = async (job) => {
    note('started', job.id, nowUs());
    await job.updateProgress(100);
    return { attempt: 1, token: 1 };
  };
  const worker = new Worker(values.queue, handle, { connection, concurrency: Number(values.concurrency) });
  worker.on('error', (error) => process.stderr.write(`worker: ${error.message}\n`));
  worker.on('failed', (job, error) => process.stderr.write(`job ${job?.id}: ${error.message}\n`));
  await worker.waitUntilReady();
  say('ready');
  return worker;
}

const running = await (role === 'producer' ? produce() : work());
lines.once('close', async () => {
  await running.close();
  writeNotes();
  process.exit(0);
});
