import {
  EXPECT_INACTIVE,
  EXPECT_PERMANENT,
  type ExpectRecord,
  ips,
  protocolName,
  TCP_STATE_NAMES,
  type TupleRecord,
} from '@keepstate/engine';
import { addressWords, wordsText } from './address.ts';
import { fileError } from './dump-error.ts';
import { suggestedNat } from './nat-status.ts';
import { SCTP_STATES } from './protocol-table.ts';
import type { Entry } from './table.ts';
import { type Element, parseXml } from './xml-tree.ts';

/** What an XML dump holds. */
export interface XmlDump {
  readonly entries: Entry[];
  readonly expectations: ExpectRecord[];
}

const DCCP = 33;

/** Reads elements, and says which one is not what it has to be. */
class Reader {
  private readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  refuse({ line, col }: Element, message: string): never {
    throw fileError(this.file, line, col, message);
  }

  child(of: Element, name: string): Element {
    return this.optional(of, name) ?? this.refuse(of, `<${of.name}> has no <${name}>`);
  }

  optional(of: Element, name: string): Element | null {
    return of.children.find((c) => c.name === name) ?? null;
  }

  number(element: Element): number {
    const text = element.text.trim();
    if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) this.refuse(element, `<${element.name}> is no number: '${text}'`);
    return Number(text);
  }

  /** The number in a child, `otherwise` where there is none. */
  numberIn(of: Element | null, name: string, otherwise: number): number {
    const found = of === null ? null : this.optional(of, name);
    return found === null ? otherwise : this.number(found);
  }

  attribute(of: Element, name: string): number {
    const text = of.attributes.get(name) ?? '';
    return /^\d{1,3}$/.test(text) ? Number(text) : this.refuse(of, `<${of.name}> has no ${name}="NUMBER"`);
  }

  /** Addresses out of one element, ports out of another. */
  tuple(addresses: Element, ports: Element, protonum: number): TupleRecord {
    const [src, dst] = ['src', 'dst'].map((name) => {
      const element = this.child(addresses, name);
      const words = addressWords(element.text.trim());
      return words === null ? this.refuse(element, `'${element.text}' is no address`) : wordsText(words);
    });
    const fields: Record<string, number> = {};
    if (protonum !== DCCP) {
      for (const port of ports.children)
        if (/^(sport|dport|srckey|dstkey)$/.test(port.name)) fields[port.name] = this.number(port);
    }
    return { src: src!, dst: dst!, ...fields };
  }
}

function metaOf(reader: Reader, flow: Element, direction: string): Element {
  const found = flow.children.find((c) => c.name === 'meta' && c.attributes.get('direction') === direction);
  return found ?? reader.refuse(flow, `<flow> has no <meta direction="${direction}">`);
}

function countersOf(reader: Reader, metas: readonly Element[]): Entry['counters'] {
  const [original, reply] = metas.map((meta) => {
    const counters = reader.optional(meta, 'counters');
    if (counters === null) return null;
    return { packets: reader.numberIn(counters, 'packets', 0), bytes: reader.numberIn(counters, 'bytes', 0) };
  });
  return original == null || reply == null ? null : { original, reply };
}

function startOf(reader: Reader, independent: Element, now: number): number | null {
  const stamp = reader.optional(independent, 'timestamp');
  if (stamp !== null) return Math.round(reader.number(reader.child(stamp, 'start')) / 1e3) / 1e3;
  const delta = reader.optional(independent, 'deltatime');
  return delta === null ? null : now - reader.number(delta) * 1000;
}

/** SCTP's states have the names that TCP's have. */
function stateOf(reader: Reader, independent: Element, protonum: number): string | null {
  const state = reader.optional(independent, 'state')?.text ?? null;
  if (state === null || protonum !== 132) return state;
  return SCTP_STATES[TCP_STATE_NAMES.indexOf(state)] ?? state;
}

function entryOf(reader: Reader, flow: Element, number: number, now: number): Entry {
  if (flow.attributes.has('type')) reader.refuse(flow, 'this is an event, not a flow of a table');
  const metas = ['original', 'reply'].map((direction) => metaOf(reader, flow, direction));
  const independent = metaOf(reader, flow, 'independent');
  const family = reader.attribute(reader.child(metas[0]!, 'layer3'), 'protonum');
  const protonum = reader.attribute(reader.child(metas[0]!, 'layer4'), 'protonum');
  const [original, reply] = metas.map((meta) =>
    reader.tuple(reader.child(meta, 'layer3'), reader.child(meta, 'layer4'), protonum),
  ) as [TupleRecord, TupleRecord];
  const zone = reader.numberIn(independent, 'zone', 0);
  const has = (name: string, bit: number): number => (reader.optional(independent, name) === null ? 0 : bit);
  const unreplied = reader.optional(independent, 'unreplied') !== null;
  return {
    flowId: reader.numberIn(independent, 'id', number),
    family,
    protonum,
    protocol: protocolName(protonum),
    state: stateOf(reader, independent, protonum),
    timeout: reader.numberIn(independent, 'timeout', 0) * 1000 + 999,
    original,
    reply,
    status:
      ips.IPS_CONFIRMED |
      (unreplied ? 0 : ips.IPS_SEEN_REPLY) |
      has('assured', ips.IPS_ASSURED) |
      suggestedNat(original, reply),
    mark: reader.numberIn(independent, 'mark', 0),
    zoneOriginal: zone || reader.numberIn(metas[0]!, 'zone', 0),
    zoneReply: zone || reader.numberIn(metas[1]!, 'zone', 0),
    master: null,
    helper: reader.optional(flow, 'helper')?.text ?? null,
    uses: reader.numberIn(independent, 'use', 1),
    counters: countersOf(reader, metas),
    start: startOf(reader, independent, now),
    labels: [],
    vtags: null,
  };
}

function expectationOf(reader: Reader, flow: Element, number: number): ExpectRecord {
  const layer3 = reader.child(flow, 'layer3');
  const layer4 = reader.child(flow, 'layer4');
  const meta = reader.child(flow, 'meta');
  const protonum = reader.attribute(layer4, 'protonum');
  const [tuple, mask, master] = ['expected', 'mask', 'master'].map((name) =>
    reader.tuple(reader.child(layer3, name), reader.child(layer4, name), protonum),
  ) as [TupleRecord, TupleRecord, TupleRecord];
  return {
    id: number,
    family: reader.attribute(layer3, 'protonum'),
    protonum,
    timeout: reader.numberIn(meta, 'timeout', 0) * 1000 + 999,
    tuple,
    mask,
    master,
    masterId: 0,
    masterProtonum: protonum,
    zone: 0,
    class: reader.numberIn(meta, 'class', 0),
    className: null,
    helper: reader.optional(meta, 'helper-name')?.text ?? null,
    expectedHelper: null,
    flags:
      (reader.optional(meta, 'permanent') === null ? 0 : EXPECT_PERMANENT) |
      (reader.optional(meta, 'inactive') === null ? 0 : EXPECT_INACTIVE),
    nat: null,
  };
}

/**
 * Reads what conntrack -L -o xml or conntrack -L expect -o xml printed.
 * @param now the moment of the dump, from which deltatime counts (ms)
 * @throws UsageError with file, line and column
 */
export function parseXmlDump(file: string, text: string, now: number): XmlDump {
  const reader = new Reader(file);
  const dump: XmlDump = { entries: [], expectations: [] };
  for (const root of parseXml(file, text)) {
    if (root.name !== 'conntrack' && root.name !== 'expect') {
      reader.refuse(root, `<${root.name}> is no dump: expected <conntrack> or <expect>`);
    }
    for (const flow of root.children) {
      if (flow.name !== 'flow') reader.refuse(flow, `<${flow.name}> is no <flow>`);
      const number = dump.entries.length + dump.expectations.length + 1;
      if (root.name === 'conntrack') dump.entries.push(entryOf(reader, flow, number, now));
      else dump.expectations.push(expectationOf(reader, flow, number));
    }
  }
  return dump;
}
