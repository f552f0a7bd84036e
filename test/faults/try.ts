import { addLibrary, expectWhole, settled } from './check.ts';
import { startFaultNode } from './node.ts';
import { makeTree } from './tree.ts';
Object.assign(globalThis, { describe: () => {}, before: () => {} });
await using tree = await makeTree(Number(process.argv[2] ?? 210));
await using node = await startFaultNode();
const b = Date.now();
await addLibrary(node, tree.folder);
const { killMoments } = await import('./moments.ts');
const { until } = await import('./node.ts');
for (const { what, least, laterMs } of killMoments(tree, 20260731)) {
  await until(what, 300_000, async () => {
    const [row] = await node.sql`
    select (select count(*) from directories) as directories, (select count(*) from movies) as films,
      (select count(*) from files where probe_state = 'done') as probes,
      (select count(distinct item_id) from images) as pictures`;
    return row![what] >= least;
  });
  await new Promise((r) => setTimeout(r, laterMs));
  await node.kill();
  await node.start();
  console.log(what, Date.now() - b);
}
await settled(node, 600_000);
console.log('done', Date.now() - b);
try {
  await expectWhole(node, tree);
} catch (e) {
  console.log(String(e).slice(0, 300));
}
console.table(
  (
    await node.sql`select m.title, (select count(*) from images i where i.item_id=m.id) as n, (select count(*) from images i where i.item_id=m.id and is_chosen) as c, (select string_agg(source||'/'||type, ',') from images i where i.item_id=m.id) as s, (select string_agg(probe_state, ',') from files f where f.item_id=m.id and role='video') as p from movies m where (select count(*) from images i where i.item_id=m.id and is_chosen) <2 or m.title like 'Ha%' or m.title like '%lobaba'`
  ).map((x) => ({ ...x })),
);
console.table(
  (
    await node.sql`select name, state, count(*), max(attempt) as a, sum(rescues) as r, string_agg(distinct left(errors::text,150), '|') as e from shared.jobs group by 1,2`
  ).map((x) => ({ ...x })),
);
