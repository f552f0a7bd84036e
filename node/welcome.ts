import type { NetworkInterfaceInfo } from 'node:os';
import { formatHostPort, isAny } from '#cluster/addresses.ts';
import { describeTools, type ToolFacts } from '#storage/media/tools.ts';
import type { Config } from './config/keys.ts';

/** What a person reads when the node has started. */
export interface Welcome {
  readonly url: string;
  /** The same for who sits elsewhere in the house. */
  readonly elsewhere: readonly string[];
  /** Of the one-time set-up; undefined once there is an administrator. */
  readonly setupToken: string | undefined;
  readonly tools: readonly ToolFacts[];
}

/** Where people reach the node: a name that works in a browser on this machine. */
export function publicUrl(config: Config, port: number): string {
  const configured = config['server.public_url'];
  if (configured !== undefined) return configured.replace(/\/$/, '');
  const host = config['server.host'];
  return `http://${formatHostPort({ host: isAny(host) ? 'localhost' : host, port })}`;
}

const shownMax = 3;
/** Networks of containers and tunnels: nobody in the house reaches the node by these. */
const virtual = /^(docker|br-|veth|virbr|cni|flannel|podman|tun|tap)/;

/** Addresses for other machines, when the node listens to them and no public one is set. Pure. */
export function urlsElsewhere(
  config: Config,
  port: number,
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>,
): string[] {
  const host = config['server.host'];
  if (config['server.public_url'] !== undefined || !isAny(host)) return [];
  return Object.entries(interfaces)
    .filter(([name]) => !virtual.test(name))
    .flatMap(([, addresses = []]) => addresses)
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => `http://${address}:${port}`)
    .slice(0, shownMax);
}

/** The programs for media, as `describeTools` finds them with this configuration. */
export const findMediaTools = (config: Config): Promise<ToolFacts[]> =>
  describeTools({
    ffmpegPath: config['media.ffmpeg_path'],
    ffprobePath: config['media.ffprobe_path'],
  });

/** The lines a node prints at its start. Pure. */
export function welcomeLines({ url, elsewhere, setupToken, tools }: Welcome): string[] {
  const lines = [`Revenge is running at ${url}`];
  if (elsewhere.length > 0) lines.push(`  From other machines: ${elsewhere.join(' or ')}`);
  lines.push(`  API reference: ${url}/api/docs`);
  if (setupToken !== undefined) {
    lines.push(
      '  No administrator yet. Open this link once to make one (good for 24 hours):',
      `    ${url}/setup?token=${setupToken}`,
      '  or, on this machine: npx revenge setup --username NAME',
    );
  }
  for (const name of ['ffprobe', 'ffmpeg'] as const) {
    const tool = tools.find((one) => one.name === name);
    const without =
      name === 'ffprobe' ? 'streams are not read' : 'no pictures are taken from films';
    if (tool === undefined) {
      lines.push(`  ${name} is missing: ${without}. Install it (apt install ffmpeg).`);
    } else if (tool.source === 'npm') {
      lines.push(
        `  ${name} is an old one that came with npm: install a current one (apt install ffmpeg).`,
      );
    }
  }
  return lines;
}
