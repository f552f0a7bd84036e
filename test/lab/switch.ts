// A switch between hosts that treats frames as badly as it is told: node switch.ts RULE TAP…
// The kernels of small machines often lack netem, which would do the same.
import { spawnSync } from 'node:child_process';
import { openSync, read, write } from 'node:fs';
import { seeded } from '../faults/moments.ts';
import type { Rule } from './rough.ts';

const [ruleText = '{}', ...taps] = process.argv.slice(2);
const rule = JSON.parse(ruleText) as Rule;
const random = seeded(rule.seed ?? 1);

/** TUNSETIFF of linux/if_tun.h, for a TAP whose frames come without a header of their own. */
const attach =
  'open(my $f, "+<&=3") or die $!; ioctl($f, 0x400454ca, pack("a16s", $ARGV[0], 0x1002)."\\0"x22) or die $!';

function openTap(name: string): number {
  const device = openSync('/dev/net/tun', 'r+');
  const stdio = ['ignore', 'ignore', 'inherit', device] as const;
  const { status } = spawnSync('perl', ['-e', attach, name], { stdio: [...stdio] });
  if (status !== 0) throw new Error(`${name} could not be opened`);
  return device;
}

const ports = taps.map(openTap);
const portOf = new Map<string, number>();
/** The last one leads out of the hosts' network, and is as it is everywhere. */
const outside = ports.length - 1;
/** When the line from one port to another is free again, in milliseconds. */
const freeAt = new Map<string, number>();

function deliver(to: number, frame: Buffer): void {
  // Who takes nothing just now loses it, as on any wire.
  write(ports[to]!, frame, () => undefined);
}

/** How long the line is busy before this frame is through. */
function queueMs(from: number, to: number, bytes: number): number {
  if (rule.bitsPerSecond === undefined) return 0;
  const line = `${from}>${to}`;
  const now = performance.now();
  const free = Math.max(now, freeAt.get(line) ?? 0) + (bytes * 8_000) / rule.bitsPerSecond;
  if (free - now > rule.queueMs) return Infinity;
  freeAt.set(line, free);
  return free - now;
}

function carry(from: number, to: number, frame: Buffer): void {
  if (from === outside || to === outside) return deliver(to, frame);
  if (random() < rule.loss) return;
  const waitMs = queueMs(from, to, frame.length);
  if (waitMs === Infinity) return;
  const copies = random() < rule.twice ? 2 : 1;
  for (let copy = 0; copy < copies; copy += 1) {
    const delayMs = waitMs + rule.delayMs + (2 * random() - 1) * rule.jitterMs;
    if (delayMs < 1) deliver(to, frame);
    else setTimeout(deliver, delayMs, to, frame);
  }
}

function forward(from: number, frame: Buffer): void {
  portOf.set(frame.toString('hex', 6, 12), from);
  const isForAll = (frame[0]! & 1) === 1;
  const known = isForAll ? undefined : portOf.get(frame.toString('hex', 0, 6));
  for (let to = 0; to < ports.length; to += 1) {
    if (to !== from && (known === undefined || known === to)) carry(from, to, frame);
  }
}

const largestFrame = 65_536;

function listen(from: number): void {
  const buffer = Buffer.allocUnsafe(largestFrame);
  read(ports[from]!, buffer, 0, largestFrame, null, (error, length) => {
    if (!error) forward(from, Buffer.from(buffer.subarray(0, length)));
    // The TAP is down until it is plugged in.
    if (error) setTimeout(listen, 20, from);
    else listen(from);
  });
}

ports.forEach((_, from) => listen(from));
// Who started it holds the other end: when that is gone, so is this.
process.stdin.resume().once('end', () => process.exit(0));
process.stdout.write('ready\n');
