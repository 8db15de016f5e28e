// graphile-worker: add JOBS jobs 1,000 at a time, drain them, and idle pickup.
// usage: node graphile.mjs URL JOBS PICKUPS     prints one JSON object
import { performance } from 'node:perf_hooks';
import { makeWorkerUtils, run } from 'graphile-worker';

const [url, jobs, pickups] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const payload = { body: 'p'.repeat(286) };
const quiet = { error() {}, warning() {}, info() {}, debug() {} };
const { Logger } = await import('graphile-worker');
const logger = new Logger(() => (level, message) => quiet[level]?.(message));

const utils = await makeWorkerUtils({ connectionString: url, logger });
await utils.migrate();

const addFrom = performance.now();
for (let done = 0; done < jobs; done += 1000) {
  await utils.addJobs(Array.from({ length: 1000 }, () => ({ identifier: 'noop', payload })));
}
const addSeconds = (performance.now() - addFrom) / 1000;

// The settings of its own performance page.
let seen = 0;
let finished;
let onJob = () => {};
const all = new Promise((resolve) => { finished = resolve; });
const drainFrom = performance.now();
const runner = await run({
  connectionString: url,
  logger,
  noHandleSignals: true,
  taskList: { noop: () => { onJob(); if (++seen === jobs) finished(); } },
  preset: {
    worker: {
      concurrentJobs: 24,
      maxPoolSize: 25,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  },
});
await all;
const drainSeconds = (performance.now() - drainFrom) / 1000;

const times = [];
for (let i = 0; i < pickups; i++) {
  await new Promise((resolve) => { setTimeout(resolve, 5); });
  const from = performance.now();
  const started = new Promise((resolve) => { onJob = () => resolve(performance.now()); });
  await utils.addJob('noop', payload);
  times.push((await started) - from);
}
times.sort((a, b) => a - b);
await runner.stop();
await utils.release();
console.log(JSON.stringify({
  add_per_s: jobs / addSeconds,
  drain_per_s: jobs / drainSeconds,
  pickup_p50_ms: times[Math.floor(times.length / 2)],
}));
