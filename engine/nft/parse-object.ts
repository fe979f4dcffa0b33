import type { FlowtableNode, NamedNode, ObjectNode, PriorityNode } from './ast.ts';
import type { At, Located } from './ast-expr.ts';
import type { LimitSpec, ObjectKind, QuotaSpec, SynproxySpec } from './ast-stmt.ts';
import { T_STRING } from './lex.ts';
import { block } from './parse-block.ts';
import { deviceList, flagList, priority } from './parse-chain.ts';
import { type Cursor, describeToken } from './parse-cursor.ts';
import { synproxySpec } from './parse-log.ts';
import { commentText, duration } from './parse-set.ts';
import { counterValues, limitSpec, quotaSpec } from './parse-stateful.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** States that a timeout policy may set, by protocol; of others the real tool knows none. */
const TIMEOUT_STATES: Readonly<Record<string, readonly string[]>> = {
  tcp: [
    ...['syn_sent', 'syn_recv', 'established', 'fin_wait', 'close_wait', 'last_ack', 'time_wait', 'close'],
    ...['syn_sent2', 'retrans', 'unack'],
  ],
  udp: ['unreplied', 'replied'],
};

function numberPair(p: Cursor): { packets: number | bigint; bytes: number | bigint } {
  if (!p.is('packets')) {
    p.unexpected("'packets'", ['packets', 'comment']);
  }
  p.next();
  const packets = p.u64('the number of packets');
  p.expect('bytes');
  return { packets, bytes: p.u64('the number of bytes') };
}

/** A block of one value, which may be given several times (the last one counts), and a comment. */
function oneValue<T>(
  p: Cursor,
  what: string,
  value: T,
  read: (p: Cursor) => T,
): { value: T; comment: string | undefined } {
  const body: { value: T; comment: string | undefined } = { value, comment: undefined };
  block(p, what, () => {
    if (p.is('comment')) {
      body.comment = commentText(p, body.comment);
    } else {
      body.value = read(p);
    }
    return true;
  });
  return body;
}

function counter(p: Cursor, name: NamedNode): ObjectNode {
  const none: ReturnType<typeof numberPair> = { packets: 0, bytes: 0 };
  const { value, comment } = oneValue(p, `counter '${name.name}'`, none, numberPair);
  return { counter: { ...name, ...value, comment } };
}

function quota(p: Cursor, name: NamedNode): ObjectNode {
  const { value, comment } = oneValue<QuotaSpec | undefined>(p, `quota '${name.name}'`, undefined, quotaSpec);
  return { quota: { ...name, quota: value, comment } };
}

function limit(p: Cursor, name: NamedNode): ObjectNode {
  const { value, comment } = oneValue<LimitSpec | undefined>(p, `limit '${name.name}'`, undefined, limitSpec);
  return { limit: { ...name, limit: value, comment } };
}

/** `mss N wscale N [timestamp] [sack-perm]`, each on a line of its own or not. */
function synproxyBody(p: Cursor): SynproxySpec {
  p.expect('mss');
  const mss = p.number('the mss', 65_535);
  const split = p.atEnd();
  if (split) {
    p.next();
  }
  p.expect('wscale');
  const wscale = p.number('the scale', 255);
  const end = p.atEnd();
  if (end && ['timestamp', 'sack-perm'].includes(p.peek().text)) {
    p.next();
  }
  const { flags } = synproxySpec(p);
  if (split && flags.length === 0 && !end) {
    p.unexpected("a newline or ';'");
  }
  return { mss, wscale, flags };
}

const NO_SYNPROXY: SynproxySpec = { flags: [] };

function synproxy(p: Cursor, name: NamedNode): ObjectNode {
  const { value, comment } = oneValue(p, `synproxy '${name.name}'`, NO_SYNPROXY, synproxyBody);
  return { synproxy: { ...name, synproxy: value, comment } };
}

function secmark(p: Cursor, name: NamedNode): ObjectNode {
  const context = (): string => p.string('a security context').text;
  const { value, comment } = oneValue<string | undefined>(p, `secmark '${name.name}'`, undefined, context);
  return { secmark: { ...name, context: value, comment } };
}

function l4proto(p: Cursor): string {
  p.expect('protocol');
  return p.oneOf(['tcp', 'udp'], "'tcp' or 'udp'");
}

function l3proto(p: Cursor): string {
  p.expect('l3proto');
  return p.oneOf(['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'], 'a family');
}

function ctHelper(p: Cursor, name: NamedNode): ObjectNode {
  const body: { type?: string; protocol?: string; l3proto?: string; comment?: string } = {};
  block(p, `ct helper '${name.name}'`, () => {
    if (p.is('comment')) {
      body.comment = commentText(p, body.comment);
      return true;
    }
    if (p.is('l3proto')) {
      body.l3proto = l3proto(p);
    } else if (p.eat('type')) {
      if (p.token.kind !== T_STRING) {
        p.fail(
          `expected the type in double quotes, found ${describeToken(p.token)}`,
          p.at,
          `write type "ftp"`,
        );
      }
      body.type = p.next().text;
      body.protocol = l4proto(p);
    } else {
      p.unexpected("'type', 'l3proto' or 'comment'", ['type', 'l3proto', 'comment']);
    }
    return false;
  });
  return { 'ct helper': { ...name, ...body } };
}

type TimeoutEntry = { state: string; value: number } & Located;

/** `policy = { established : 120, close : 20 }`. */
function timeoutPolicy(p: Cursor): TimeoutEntry[] {
  const entries: TimeoutEntry[] = [];
  p.expect('policy');
  p.expect('=');
  p.expect('{');
  do {
    const token = p.name('a state');
    p.expect(':');
    entries.push({ state: token.text, value: p.number('the timeout in seconds'), at: token.at });
  } while (p.eat(','));
  p.expect('}');
  return entries;
}

function ctTimeout(p: Cursor, name: NamedNode): ObjectNode {
  const body: { protocol?: string; l3proto?: string; policy?: TimeoutEntry[]; comment?: string } = {};
  const errors = p.errors.length;
  block(p, `ct timeout '${name.name}'`, () => {
    if (p.is('comment')) {
      body.comment = commentText(p, body.comment);
      return true;
    }
    if (p.is('l3proto')) {
      body.l3proto = l3proto(p);
    } else if (p.is('protocol')) {
      body.protocol = l4proto(p);
    } else if (p.is('policy')) {
      body.policy = timeoutPolicy(p);
    } else {
      p.unexpected(
        "'protocol', 'policy', 'l3proto' or 'comment'",
        'protocol policy l3proto comment'.split(' '),
      );
    }
    return false;
  });
  const states = TIMEOUT_STATES[body.protocol ?? 'tcp'] ?? [];
  for (const entry of p.errors.length > errors ? [] : (body.policy ?? [])) {
    if (!states.includes(entry.state)) {
      p.note(
        `${body.protocol ?? 'tcp'} has no state '${entry.state}'`,
        entry.at as At,
        `it has ${states.join(', ')}`,
      );
    }
  }
  const place = ({ state }: TimeoutEntry): number => states.indexOf(state);
  const policy = body.policy?.sort((a, b) => place(a) - place(b));
  return { 'ct timeout': { ...name, ...body, policy } };
}

function ctExpectation(p: Cursor, name: NamedNode): ObjectNode {
  const body: {
    protocol?: string;
    dport?: number;
    timeout?: number | bigint;
    size?: number;
    l3proto?: string;
    comment?: string;
  } = {};
  const errors = p.errors.length;
  block(p, `ct expectation '${name.name}'`, () => {
    if (p.is('comment')) {
      body.comment = commentText(p, body.comment);
      return true;
    }
    if (p.is('l3proto')) {
      body.l3proto = l3proto(p);
    } else if (p.is('protocol')) {
      body.protocol = l4proto(p);
    } else if (p.eat('dport')) {
      body.dport = p.number('the port', 65_535);
    } else if (p.eat('timeout')) {
      body.timeout = duration(p);
    } else if (p.eat('size')) {
      body.size = p.number('the size', 255);
    } else {
      p.unexpected(
        'a property of a ct expectation',
        'protocol dport timeout size l3proto comment'.split(' '),
      );
    }
    return false;
  });
  const missing = (['protocol', 'dport', 'timeout', 'size'] as const).filter(
    // nft takes a 0 for nothing said.
    (one) => !body[one],
  );
  if (missing.length > 0 && p.errors.length === errors) {
    p.note(`the ct expectation '${name.name}' lacks ${missing.join(', ')}`, p.lastBrace);
  }
  return { 'ct expectation': { ...name, ...body } };
}

function flowtable(p: Cursor, name: NamedNode): ObjectNode {
  const body: Mutable<Pick<FlowtableNode, 'hook' | 'devices' | 'flags'>> & { prio?: PriorityNode } = {};
  block(p, `flowtable '${name.name}'`, () => {
    if (p.eat('hook')) {
      body.hook = p.oneOf(['ingress'], "'ingress'");
      body.prio = priority(p);
    } else if (p.eat('devices')) {
      p.expect('=');
      body.devices = deviceList(p);
    } else if (p.is('flags')) {
      body.flags = [...(body.flags ?? []), ...flagList(p, 'flowtable flag', ['offload'])];
    } else if (p.eat('counter')) {
      body.flags = [...(body.flags ?? []), 'counter'];
      return true;
    } else {
      p.unexpected("'hook', 'devices', 'flags' or 'counter'", ['hook', 'devices', 'flags', 'counter']);
    }
    return false;
  });
  return { flowtable: { ...name, ...body } };
}

/** Kinds of things in tables that have a block of properties. */
export type BlockKind = ObjectKind | 'flowtable';

const BLOCKS: Readonly<Record<BlockKind, (p: Cursor, name: NamedNode) => ObjectNode>> = {
  counter,
  quota,
  limit,
  synproxy,
  secmark,
  flowtable,
  'ct helper': ctHelper,
  'ct timeout': ctTimeout,
  'ct expectation': ctExpectation,
};

/** The block of a stateful object or a flowtable, from its opening brace on. */
export function objectBlock(p: Cursor, kind: BlockKind, name: NamedNode): ObjectNode {
  return BLOCKS[kind](p, name);
}

/** What a command adds without braces: `add quota ip t q 5 mbytes`; null with nothing taken if braces must come. */
export function inlineObject(p: Cursor, kind: BlockKind, name: NamedNode): ObjectNode | null {
  switch (kind) {
    case 'counter':
      return { counter: { ...name, ...counterValues(p) } };
    case 'quota':
      return { quota: { ...name, quota: quotaSpec(p) } };
    case 'limit':
      return { limit: { ...name, limit: limitSpec(p) } };
    case 'synproxy':
      return { synproxy: { ...name, synproxy: synproxySpec(p) } };
    case 'secmark':
      return { secmark: { ...name, context: p.string('a security context').text } };
    default:
      return null;
  }
}

/** What a kind is by its name only. */
export function bareObject(kind: BlockKind, name: NamedNode): ObjectNode {
  const node = kind === 'counter' ? { ...name, packets: 0, bytes: 0 } : name;
  return { [kind]: node } as unknown as ObjectNode;
}

/** Takes the words of a kind: `counter`, `ct helper`; null with nothing taken if none begins here. */
export function objectKind(p: Cursor): BlockKind | null {
  const { text } = p.token;
  if (text === 'ct') {
    const second = p.peek().text;
    if (second !== 'helper' && second !== 'timeout' && second !== 'expectation') {
      return null;
    }
    p.next();
    return `ct ${p.next().text}` as BlockKind;
  }
  return text in BLOCKS ? (p.next().text as BlockKind) : null;
}
