/**
 * `restored-copy`: the cluster knows a later start of this node than the one that asks;
 * `runs-already`: an earlier start of it still runs, elsewhere.
 */
export type Barred = 'retired' | 'restored-copy' | 'runs-already';

const advice: Record<Barred, string> = {
  retired:
    'this node was removed from its cluster: `revenge cluster rejoin` makes its folder a new node',
  'restored-copy':
    'the cluster knows a later start of this node: this data folder is a copy, or was put back; ' +
    'stop the other one, or make this a new node with `revenge cluster rejoin`',
  'runs-already':
    'this node runs already, from another copy of this data folder: stop that one first, or make ' +
    'this a new node with `revenge cluster rejoin`',
};

/** This node may not take part; the message says why and what to do. */
export class BarredError extends Error {
  readonly why: Barred;
  constructor(why: Barred) {
    super(advice[why]);
    this.name = 'BarredError';
    this.why = why;
  }
}
