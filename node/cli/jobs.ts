import type { Command } from 'commander';
import type { components } from '#api/types.ts';
import { CommandError, exitCode } from './exit.ts';
import { open, withQuery } from './open.ts';
import { table } from './output.ts';

type Job = components['schemas']['Job'];
type Queue = components['schemas']['JobQueue'];

const percent = ({ progress }: Job) =>
  progress === null || progress.total === 0
    ? null
    : `${Math.floor((100 * progress.done) / progress.total)} %`;

const showJobs = (jobs: readonly Job[]) =>
  table(
    ['NAME', 'QUEUE', 'STATE', 'TRY', 'DONE', 'CREATED', 'LAST ERROR', 'ID'],
    jobs.map((job) => [
      ...[job.name, job.queue, job.state, `${job.attempt}/${job.attempts}`, percent(job)],
      ...[job.createdAt, job.errors.at(-1)?.message.slice(0, 60) ?? null, job.id],
    ]),
  );

const showQueues = (queues: readonly Queue[]) =>
  table(
    ['QUEUE', 'LIMIT', 'RUNNING', 'WAITING', 'SCHEDULED', 'DEAD', 'OLDEST WAIT'],
    queues.map((queue) => [
      queue.name,
      queue.paused ? 'paused' : queue.thisNode.limit,
      ...[queue.running, queue.waiting, queue.scheduled, queue.dead],
      `${Math.round(queue.oldestWaitMs / 1000)} s`,
    ]),
  );

/** `revenge jobs list | queues | cancel | retry | limit | pause | resume | retry-dead`. */
export function addJobs(program: Command): void {
  const jobs = program.command('jobs').description('work in the background');
  jobs
    .command('list')
    .description('the newest jobs')
    .option('--queue <name>')
    .option('--state <state>', 'waiting, scheduled, running, completed, cancelled or dead')
    .option('--name <name>', 'kind of job, as in library.probe')
    .option('--limit <number>', 'rows at most', '50')
    .action(async (filters: Record<string, string>, command: Command) => {
      const { client, output } = await open(command);
      const path = withQuery('/api/v1/jobs', filters);
      const page = await client.request<{ items: Job[] }>('GET', path);
      output.result(page, () => showJobs(page.items));
    });
  jobs
    .command('queues')
    .description('limits and depths')
    .action(async (_options, command: Command) => {
      const { client, output } = await open(command);
      const page = await client.request<{ items: Queue[] }>('GET', '/api/v1/jobs/queues');
      output.result(page, () => showQueues(page.items));
    });
  for (const [verb, description] of [
    ['cancel', 'stop a job that waits or runs'],
    ['retry', 'run a job again'],
  ] as const) {
    jobs
      .command(`${verb} <job>`)
      .description(description)
      .action(async (id: string, _options, command: Command) => {
        const { client, output } = await open(command);
        const path = `/api/v1/jobs/${encodeURIComponent(id)}/${verb}`;
        const job = await client.request<Job>('POST', path);
        output.result(job, () => showJobs([job]));
      });
  }
  addQueueVerbs(jobs);
}

function addQueueVerbs(jobs: Command): void {
  const change = async (command: Command, queue: string, body: object) => {
    const { client, output } = await open(command);
    const path = `/api/v1/jobs/queues/${encodeURIComponent(queue)}`;
    const changed = await client.request<Queue>('PATCH', path, body);
    output.result(changed, () => showQueues([changed]));
  };
  jobs
    .command('limit <queue> <number>')
    .description('how many of a queue run at once on a node; "default" takes it back')
    .action(async (...given: [string, string, object, Command]) => {
      const [queue, text, , command] = given;
      if (text !== 'default' && !/^\d{1,3}$/.test(text)) {
        throw new CommandError(`"${text}" is neither a number nor "default"`, exitCode.usage);
      }
      await change(command, queue, { limit: text === 'default' ? null : Number(text) });
    });
  jobs
    .command('pause <queue>')
    .description('start no more of its jobs')
    .action((queue: string, _options, command: Command) =>
      change(command, queue, { paused: true }),
    );
  jobs
    .command('resume <queue>')
    .description('go on')
    .action((queue: string, _options, command: Command) =>
      change(command, queue, { paused: false }),
    );
  jobs
    .command('retry-dead')
    .description('give jobs whose last try failed their tries again')
    .option('--queue <name>')
    .option('--name <name>')
    .action(async (filters: Record<string, string>, command: Command) => {
      const { client, output } = await open(command);
      const path = '/api/v1/jobs/dead/retry';
      const answer = await client.request<{ retried: number }>('POST', path, filters);
      output.result(answer, () => `${answer.retried} wait again`);
    });
}
