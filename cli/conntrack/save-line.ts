import type { TupleRecord } from '@keepstate/engine';
import { isTimed } from '../format/conntrack-line.ts';
import type { EventTells } from '../format/event-line.ts';
import { secondsLeft } from '../format/tuple-text.ts';
import { translated } from './nat-status.ts';
import type { Entry } from './table.ts';
import { savedStatus } from './word-lists.ts';

/** Protocols that -p of a saved line has by name. */
const NAMED: ReadonlySet<string> = new Set([
  'tcp',
  'udp',
  'udplite',
  'sctp',
  'dccp',
  'icmp',
  'icmpv6',
  'gre',
]);

function zones(entry: Entry): string {
  const { zoneOriginal, zoneReply } = entry;
  if (zoneOriginal === zoneReply) return zoneOriginal === 0 ? '' : `-w ${zoneOriginal} `;
  const original = zoneOriginal === 0 ? '' : `--orig-zone ${zoneOriginal} `;
  return original + (zoneReply === 0 ? '' : `--reply-zone ${zoneReply} `);
}

function ports(protocol: string, original: TupleRecord, reply: TupleRecord): string {
  if (original.sport !== undefined) {
    return (
      ` --sport ${original.sport} --dport ${original.dport ?? 0}` +
      ` --reply-port-src ${reply.sport ?? 0} --reply-port-dst ${reply.dport ?? 0}`
    );
  }
  if (original.type !== undefined) {
    const { type, code = 0, id = 0 } = original;
    return ` --${protocol}-type ${type} --${protocol}-code ${code} --${protocol}-id ${id}`;
  }
  if (original.srckey === undefined) return '';
  return (
    ` --srckey ${original.srckey} --dstkey ${original.dstkey ?? 0}` +
    ` --reply-key-src ${reply.srckey ?? 0} --reply-key-dst ${reply.dstkey ?? 0}`
  );
}

/**
 * A flow as `conntrack -o save` prints it (conntrack-tools 1.4.7), without a newline: a line for conntrack -R. Mark,
 * labels and helper are not in it.
 * @param command what the line does: A, U or D
 * @param event what of an event of the kernel was told: the rest is left out. Listings have all.
 */
export function saveLine(entry: Entry, command: 'A' | 'U' | 'D', event?: EventTells): string {
  const { original, reply, protocol, protonum, status, state, vtags } = entry;
  const nat = translated(entry);
  return (
    `-${command} ${(event?.timeout ?? isTimed(entry)) ? `-t ${secondsLeft(entry.timeout)} ` : ''}` +
    `-u ${savedStatus(status)} ${zones(entry)}` +
    `-s ${original.src} -d ${original.dst} ` +
    `${nat.dst ? '-g' : '-r'} ${reply.src} ${nat.src ? '-n' : '-q'} ${reply.dst} ` +
    `-p ${NAMED.has(protocol) ? protocol : protonum}` +
    ports(protocol, original, reply) +
    (state === null ? '' : ` --state ${state}`) +
    (protocol !== 'sctp' || (event !== undefined && vtags === null)
      ? ''
      : ` --orig-vtag ${vtags?.original ?? 0} --reply-vtag ${vtags?.reply ?? 0}`)
  );
}
