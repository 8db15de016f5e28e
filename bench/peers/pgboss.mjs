// pg-boss: insert JOBS jobs 1,000 at a time, work() them, 64 concurrent sends, idle pickup by NOTIFY.
// usage: node pgboss.mjs URL JOBS PICKUPS     prints one JSON object
import { performance } from 'node:perf_hooks';
import { PgBoss } from 'pg-boss';

const [url, jobs, pickups] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const data = { body: 'p'.repeat(286) };
const boss = new PgBoss({ connectionString: url, supervise: false, schedule: false, useListenNotify: true, max: 20 });
boss.on('error', (error) => { console.error(error); });
await boss.start();
await boss.createQueue('noop');
await boss.createQueue('single');
await boss.createQueue('pickup', { notify: true });

const addFrom = performance.now();
for (let done = 0; done < jobs; done += 1000) {
  await boss.insert('noop', Array.from({ length: 1000 }, () => ({ data })));
}
const addSeconds = (performance.now() - addFrom) / 1000;

let seen = 0;
let finished;
const all = new Promise((resolve) => { finished = resolve; });
const drainFrom = performance.now();
const options = { batchSize: 1000, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true };
const handler = async (batch) => { seen += batch.length; if (seen >= jobs) finished(); };
await boss.work('noop', options, handler);
await boss.work('noop', options, handler);
await all;
const drainSeconds = (performance.now() - drainFrom) / 1000;
await boss.offWork('noop');

const sends = 2000;
let sent = 0;
const sendFrom = performance.now();
await Promise.all(Array.from({ length: 64 }, async () => {
  while (sent < sends) {
    sent += 1;
    await boss.send('single', data);
  }
}));
const sendSeconds = (performance.now() - sendFrom) / 1000;

const times = [];
let onJob = () => {};
await boss.work('pickup', { pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 30 }, async () => { onJob(); });
await new Promise((resolve) => { setTimeout(resolve, 1000); });
for (let i = 0; i < pickups; i++) {
  await new Promise((resolve) => { setTimeout(resolve, 5); });
  const from = performance.now();
  const started = new Promise((resolve) => { onJob = () => resolve(performance.now()); });
  await boss.send('pickup', data);
  times.push((await started) - from);
}
times.sort((a, b) => a - b);
await boss.stop({ graceful: false });
console.log(JSON.stringify({
  add_per_s: jobs / addSeconds,
  drain_per_s: jobs / drainSeconds,
  send_per_s: sends / sendSeconds,
  pickup_p50_ms: times[Math.floor(times.length / 2)],
}));
process.exit(0);
