import { describe, expect, test } from 'vitest';
import type { ExprNode } from './ast-expr.ts';
import type { NatSpec, StmtNode } from './ast-stmt.ts';
import { stmtJson } from './json-write-stmt.ts';
import { jsonText } from './json-write-text.ts';
import { priorityNumber, priorityText } from './list-priority.ts';
import { listStatement } from './list-ruleset.ts';
import { stmtText } from './list-stmt.ts';
import * as types from './type-datatype.ts';
import type { Value } from './type-value.ts';

type Datatype = types.Datatype;

function value(type: Datatype, number: Value, bits: number = type.bits): ExprNode {
  return { constant: { type, bits, value: number } };
}

const port = (number: bigint): ExprNode => value(types.INET_SERVICE, number);
const mark = (number: bigint): ExprNode => value(types.MARK, number);
const v4 = (number: bigint): ExprNode => value(types.IPV4_ADDR, number);
const v6 = (number: bigint): ExprNode => value(types.IPV6_ADDR, number);
const flag = (number: bigint): ExprNode => value(types.TCP_FLAG, number);
const DPORT: ExprNode = { payload: { protocol: 'tcp', field: 'dport' } };
const SADDR: ExprNode = { payload: { protocol: 'ip', field: 'saddr' } };
const FLAGS: ExprNode = { payload: { protocol: 'tcp', field: 'flags' } };
const MARK_KEY: ExprNode = { meta: { key: 'mark' } };
const STATE: ExprNode = { ct: { key: 'state' } };
const nat = (spec: Partial<NatSpec>): NatSpec => ({ flags: [], type_flags: [], ...spec });

/** As measured with nft 1.0.6 in an inet table: the statement, its text, its JSON. */
const MEASURED: readonly (readonly [StmtNode, string, string])[] = [
  [
    { match: { op: '==', left: DPORT, right: { set: [port(22n), { range: [port(80n), port(90n)] }] } } },
    'tcp dport { 22, 80-90 }',
    '{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [22, {"range": [80, 90]}]}}}',
  ],
  [
    { match: { op: '==', left: { binop: { op: '&', left: MARK_KEY, right: mark(255n) } }, right: mark(5n) } },
    'meta mark & 0x000000ff == 0x00000005',
    '{"match": {"op": "==", "left": {"&": [{"meta": {"key": "mark"}}, 255]}, "right": 5}}',
  ],
  [
    { match: { op: '==', left: STATE, right: value(types.CT_STATE, 8n) } },
    'ct state == new',
    '{"match": {"op": "==", "left": {"ct": {"key": "state"}}, "right": "new"}}',
  ],
  [
    {
      match: {
        op: 'in',
        left: STATE,
        right: { list: [value(types.CT_STATE, 2n), value(types.CT_STATE, 8n)] },
      },
    },
    'ct state established,new',
    '{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "new"]}}',
  ],
  [
    { match: { op: '!', left: FLAGS, right: flag(2n) } },
    'tcp flags ! syn',
    '{"match": {"op": "!", "left": {"payload": {"protocol": "tcp", "field": "flags"}}, "right": "syn"}}',
  ],
  [
    {
      match: {
        op: '!=',
        left: { binop: { op: '&', left: FLAGS, right: { list: [flag(2n), flag(16n)] } } },
        right: flag(2n),
      },
    },
    'tcp flags != syn / syn,ack',
    '{"match": {"op": "!=", "left": {"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, ["syn", "ack"]]}, "right": "syn"}}',
  ],
  [
    {
      match: {
        op: '<',
        left: {
          binop: { op: '&', left: FLAGS, right: { binop: { op: '|', left: flag(1n), right: flag(2n) } } },
        },
        right: flag(2n),
      },
    },
    'tcp flags & (fin | syn) < syn',
    '{"match": {"op": "<", "left": {"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, {"|": ["fin", "syn"]}]}, "right": "syn"}}',
  ],
  [
    { counter: { packets: 5, bytes: 6 } },
    'counter packets 5 bytes 6',
    '{"counter": {"packets": 5, "bytes": 6}}',
  ],
  [
    { limit: { rate: 5, rate_unit: 'packets', per: 'minute', inv: true } },
    'limit rate over 5/minute',
    '{"limit": {"rate": 5, "burst": 5, "per": "minute", "inv": true}}',
  ],
  [
    {
      limit: { rate: 1024, rate_unit: 'bytes', per: 'second', burst: 5, burst_unit: 'mbytes', inv: false },
    },
    'limit rate 1 kbytes/second burst 5 mbytes',
    '{"limit": {"rate": 1, "burst": 5, "per": "second", "rate_unit": "kbytes", "burst_unit": "mbytes"}}',
  ],
  [
    { quota: { val: 10, val_unit: 'mbytes', used: 5, used_unit: 'kbytes', inv: true } },
    'quota over 10 mbytes used 5 kbytes',
    '{"quota": {"val": 10, "val_unit": "mbytes", "inv": true, "used": 5, "used_unit": "kbytes"}}',
  ],
  [{ log: {} }, 'log', '{"log": null}'],
  [
    { log: { prefix: 'p', group: 2, snaplen: 128, 'queue-threshold': 20, level: 'warn' } },
    'log prefix "p" group 2 snaplen 128 queue-threshold 20',
    '{"log": {"prefix": "p", "group": 2, "snaplen": 128, "queue-threshold": 20}}',
  ],
  [
    { log: { level: 'debug', flags: ['tcp sequence', 'tcp options', 'skuid'] } },
    'log level debug flags tcp sequence,options flags skuid',
    '{"log": {"level": "debug", "flags": ["tcp sequence", "tcp options", "skuid"]}}',
  ],
  [
    { log: { flags: ['tcp sequence', 'tcp options', 'ip options', 'skuid', 'ether'] } },
    'log flags all',
    '{"log": {"flags": "all"}}',
  ],
  [
    { reject: { type: 'icmpx', expr: value(types.ICMPX_CODE, 1n) } },
    'reject',
    '{"reject": {"type": "icmpx", "expr": "port-unreachable"}}',
  ],
  [
    { reject: { type: 'icmp', expr: value(types.ICMP_CODE, 3n) } },
    'reject with icmp port-unreachable',
    '{"reject": {"type": "icmp", "expr": "port-unreachable"}}',
  ],
  [{ reject: { type: 'tcp reset' } }, 'reject with tcp reset', '{"reject": {"type": "tcp reset"}}'],
  [
    {
      snat: nat({
        family: 'ip6',
        addr: { range: [v6(1n), v6(2n)] },
        port: { range: [port(80n), port(90n)] },
      }),
    },
    'snat ip6 to [::1]-[::2]:80-90',
    '{"snat": {"family": "ip6", "addr": {"range": ["::1", "::2"]}, "port": {"range": [80, 90]}}}',
  ],
  [
    { dnat: nat({ family: 'ip', addr: v4(0x01020304n), flags: ['persistent', 'random'] }) },
    'dnat ip to 1.2.3.4 random,persistent',
    '{"dnat": {"family": "ip", "addr": "1.2.3.4", "flags": ["random", "persistent"]}}',
  ],
  [
    {
      snat: nat({
        family: 'ip',
        addr: { prefix: { addr: v4(0x0a000000n), len: 8 } },
        type_flags: ['prefix'],
      }),
    },
    'snat ip prefix to 10.0.0.0/8',
    '{"snat": {"family": "ip", "addr": {"prefix": {"addr": "10.0.0.0", "len": 8}}, "flags": "netmap", "type_flags": "prefix"}}',
  ],
  [{ masquerade: nat({}) }, 'masquerade', '{"masquerade": null}'],
  [{ redirect: nat({ port: port(8080n) }) }, 'redirect to :8080', '{"redirect": {"port": 8080}}'],
  [
    { tproxy: { family: 'ip6', addr: v6(1n), port: port(80n) } },
    'tproxy ip6 to [::1]:80',
    '{"tproxy": {"family": "ip6", "addr": "::1", "port": 80}}',
  ],
  [{ synproxy: { mss: 1460, flags: [] } }, 'synproxy mss 1460 wscale 0', '{"synproxy": {"mss": 1460}}'],
  [
    {
      set: {
        op: 'add',
        elem: { elem: { val: SADDR, timeout: 30_000 } },
        set: 'dyn',
        stmt: [{ counter: { packets: 3, bytes: 4 } }],
      },
    },
    'add @dyn { ip saddr timeout 30s counter }',
    '{"set": {"op": "add", "elem": {"elem": {"val": {"payload": {"protocol": "ip", "field": "saddr"}}, "timeout": 30}}, "set": "@dyn", "stmt": [{"counter": null}]}}',
  ],
  [
    { map: { op: 'update', elem: SADDR, data: mark(5n), map: 'mm' } },
    'update @mm { ip saddr : 0x00000005 }',
    '"update @mm { ip saddr : 0x00000005 }"',
  ],
  [
    { jump: { target: '', rules: [{ expr: [{ accept: null }] }, { expr: [{ drop: null }], comment: 'q' }] } },
    'jump {\n\t\t\taccept\n\t\t\tdrop comment "q"\n\t\t}',
    '"jump {\\n\\t\\t\\taccept\\n\\t\\t\\tdrop comment \\"q\\"\\n\\t\\t}"',
  ],
  [{ objref: { type: 'ct helper', name: { symbol: 'h1' } } }, 'ct helper set "h1"', '{"ct helper": "h1"}'],
  [
    { vmap: { key: DPORT, data: { set: [{ pair: [port(22n), { jump: { target: 'x' } }] }] } } },
    'tcp dport vmap { 22 : jump x }',
    '{"vmap": {"key": {"payload": {"protocol": "tcp", "field": "dport"}}, "data": {"set": [[22, {"jump": {"target": "x"}}]]}}}',
  ],
];

describe('statements', () => {
  test.each(MEASURED.map((one) => [one[1], ...one] as const))(
    '%s is listed, and in JSON, as nft does',
    (_name, statement, text, json) => {
      expect(listStatement(statement, 'inet')).toBe(text);
      const context = { family: 'inet', options: {}, statement: stmtText, statementJson: stmtJson } as const;
      expect(jsonText(stmtJson(statement, context))).toBe(json);
    },
  );

  test('a plain reject is the one of the table’s family', () => {
    const reject: StmtNode = { reject: { type: 'icmp', expr: value(types.ICMP_CODE, 3n) } };
    expect(listStatement(reject, 'ip')).toBe('reject');
    expect(listStatement(reject, 'ip', { numeric: true })).toBe('reject');
    expect(listStatement(reject, 'inet', { numeric: true })).toBe('reject with icmp 3');
  });

  test('an address of the original direction is listed with its family, which JSON leaves out', () => {
    const match: StmtNode = {
      match: { op: '==', left: { ct: { key: 'saddr', dir: 'original' } }, right: v4(0x01020304n) },
    };
    expect(listStatement(match, 'ip')).toBe('ct original ip saddr 1.2.3.4');
  });

  test('ranges are numbers, whatever names are asked for', () => {
    const days: StmtNode = {
      match: {
        op: '==',
        left: { meta: { key: 'day' } },
        right: { range: [value(types.DAY, 1n), value(types.DAY, 5n)] },
      },
    };
    const ports: StmtNode = {
      match: { op: '==', left: DPORT, right: { range: [port(22n), port(80n)] } },
    };
    expect(listStatement(days, 'inet')).toBe('meta day 1-5');
    expect(listStatement(ports, 'inet', { services: true })).toBe('tcp dport 22-80');
  });

  test('without state there are neither counts nor what a quota has used', () => {
    expect(listStatement({ counter: { packets: 5, bytes: 6 } }, 'ip', { stateless: true })).toBe('counter');
    const quota: StmtNode = {
      quota: { val: 10, val_unit: 'mbytes', used: 5, used_unit: 'bytes', inv: false },
    };
    expect(listStatement(quota, 'ip', { stateless: true })).toBe('quota 10 mbytes');
  });
});

describe('priorities', () => {
  test.each([
    [0, 'inet', 'input', 'filter'],
    [10, 'inet', 'forward', 'filter + 10'],
    [11, 'ip', 'input', '11'],
    [-101, 'ip', 'prerouting', 'dstnat - 1'],
    [-99, 'inet', 'output', '-99'],
    [101, 'ip', 'postrouting', 'srcnat + 1'],
    [-310, 'ip6', 'prerouting', 'raw - 10'],
    [40, 'ip6', 'input', 'security - 10'],
    [-300, 'bridge', 'prerouting', 'dstnat'],
    [-199, 'bridge', 'forward', 'filter + 1'],
    [0, 'bridge', 'output', '0'],
    [100, 'bridge', 'output', 'out'],
    [295, 'bridge', 'postrouting', 'srcnat - 5'],
    [5, 'arp', 'output', 'filter + 5'],
    [50, 'netdev', 'egress', '50'],
  ] as const)('%i of %s at %s is %s', (priority, family, hook, text) => {
    expect(priorityText(priority, family, hook)).toBe(text);
  });

  test('a name has a number only where it is known', () => {
    expect(priorityNumber('dstnat', 'ip', 'prerouting')).toBe(-100);
    expect(priorityNumber('dstnat', 'ip', 'output')).toBeUndefined();
    expect(priorityNumber('raw', 'arp', 'input')).toBeUndefined();
    expect(priorityNumber('filter', 'bridge', 'input')).toBe(-200);
  });
});
