// What keepstate makes of an example's packets, as its expected.txt tells it.

import { Packet, packetText, resetPacket } from '@keepstate/engine';
import { Place } from '../../../cli/testing/keepstate.ts';

interface Line {
  readonly verdict: string;
  readonly oif: string | null;
  readonly out: readonly string[];
  readonly answers: readonly string[];
}

function textOf(hex: string): string {
  const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
  const pkt = new Packet();
  resetPacket(pkt, bytes, new DataView(bytes.buffer), 0, bytes.length);
  return packetText(pkt);
}

/**
 * Plays an example.
 * @param rules name of the file of rules
 * @returns a line for each packet: number, verdict, what leaves and by which device, what the firewall answers
 */
export async function expectedLines(folder: string, rules: string): Promise<string[]> {
  const place = new Place();
  try {
    const given = ['--rules', `${folder}/${rules}`, '--host', `${folder}/host.yaml`, '--json', '--bytes'];
    const { lines, err } = await place.run('trace', '--quiet', ...given, `${folder}/capture.pcap`);
    if (err !== '') throw new Error(err);
    return lines.map((line, i) => {
      const { verdict, oif, out, answers } = JSON.parse(line) as Line;
      const left = out.map((hex) => `${oif} ${textOf(hex)}`);
      return [
        i + 1,
        verdict.padEnd(6),
        [...left, ...answers.map((hex) => `answer ${textOf(hex)}`)].join(' | '),
      ]
        .join(' ')
        .trimEnd();
    });
  } finally {
    place.end();
  }
}
