/** Targets of iptables rules. */
import type { XtScope } from './rules-gen-xt.ts';

type Make = (scope: XtScope) => string | null;

function log({ dice }: XtScope): string {
  const prefix = dice.pick(['', ' --log-prefix "fw: "', ' --log-prefix "[UFW BLOCK] "', ' --log-prefix x']);
  const level = dice.pick([
    '',
    '',
    ' --log-level 4',
    ' --log-level info',
    ' --log-level debug',
    ' --log-level 7',
  ]);
  const flags = [' --log-tcp-options', ' --log-tcp-sequence', ' --log-ip-options', ' --log-uid'].filter(() =>
    dice.chance(15),
  );
  return `-j LOG${prefix}${level}${flags.join('')}`;
}

function reject(scope: XtScope): string | null {
  if (!['filter', 'security'].includes(scope.table) || scope.table === 'security') return null;
  const { dice, v6, proto } = scope;
  const icmp = v6
    ? [
        'icmp6-no-route',
        'icmp6-adm-prohibited',
        'icmp6-addr-unreachable',
        'icmp6-port-unreachable',
        'icmp6-policy-fail',
        'icmp6-reject-route',
        'adm-prohibited',
      ]
    : [
        'icmp-net-unreachable',
        'icmp-host-unreachable',
        'icmp-port-unreachable',
        'icmp-proto-unreachable',
        'icmp-net-prohibited',
        'icmp-host-prohibited',
        'icmp-admin-prohibited',
        'host-prohib',
      ];
  const reset =
    proto === 'tcp' ? ['-j REJECT --reject-with tcp-reset', '-j REJECT --reject-with tcp-reset'] : [];
  return dice.pick(['-j REJECT', '-j REJECT', `-j REJECT --reject-with ${dice.pick(icmp)}`, ...reset]);
}

const TARGETS: Readonly<Record<string, readonly [number, Make]>> = {
  accept: [70, () => '-j ACCEPT'],
  drop: [45, () => '-j DROP'],
  user: [
    30,
    (s) => (s.chains.length === 0 ? null : `${s.dice.pick(['-j', '-j', '-g'])} ${s.dice.pick(s.chains)}`),
  ],
  reject: [40, reject],
  return: [14, () => '-j RETURN'],
  log: [26, log],
  mark: [
    10,
    (s) =>
      s.table !== 'mangle' && s.table !== 'raw'
        ? null
        : `-j MARK ${s.dice.pick(['--set-mark 0x1', '--set-mark 5', '--set-xmark 0x10/0xff', '--or-mark 0x10', '--and-mark 0xff', '--xor-mark 0x3'])}`,
  ],
  ct: [
    6,
    (s) =>
      s.table === 'raw'
        ? s.dice.pick(['-j NOTRACK', '-j CT --notrack', '-j CT --zone 5', '-j CT --ctevents new,destroy'])
        : null,
  ],
  tcpmss: [
    6,
    (s) =>
      s.table === 'mangle' && s.syn && ['FORWARD', 'OUTPUT', 'POSTROUTING'].includes(s.chain)
        ? `-j TCPMSS ${s.dice.pick(['--clamp-mss-to-pmtu', '--set-mss 1300', '--set-mss 1'])}`
        : null,
  ],
  connmark: [
    4,
    (s) =>
      s.table !== 'mangle'
        ? null
        : `-j CONNMARK ${s.dice.pick(['--save-mark', '--restore-mark', '--set-mark 5', '--set-xmark 0x1/0xff', '--save-mark --nfmask 0xf --ctmask 0xf', '--restore-mark --mask 0xff', '--or-mark 0x10'])}`,
  ],
  checksum: [
    1,
    (s) =>
      s.table === 'mangle' && s.proto === 'udp' && !s.repeatable ? '-j CHECKSUM --checksum-fill' : null,
  ],
  nflog: [
    5,
    ({ dice }) =>
      `-j NFLOG${dice.pick([' --nflog-group 1', ' --nflog-group 5', ''])}${dice.pick(['', ' --nflog-prefix "nf: "'])}${dice.pick(['', '', ' --nflog-size 64', ' --nflog-threshold 1'])}`,
  ],
  dscp: [
    3,
    (s) =>
      s.table === 'mangle'
        ? `-j DSCP ${s.dice.pick(['--set-dscp 0x2e', '--set-dscp-class CS1', '--set-dscp 0'])}`
        : null,
  ],
  ttl: [
    3,
    (s) =>
      s.table !== 'mangle'
        ? null
        : s.v6
          ? `-j HL ${s.dice.pick(['--hl-set 64', '--hl-dec 1', '--hl-inc 2'])}`
          : `-j TTL ${s.dice.pick(['--ttl-set 64', '--ttl-dec 1', '--ttl-inc 2'])}`,
  ],
  classify: [
    1,
    (s) =>
      s.table === 'mangle' && ['FORWARD', 'OUTPUT', 'POSTROUTING'].includes(s.chain)
        ? '-j CLASSIFY --set-class 1:2'
        : null,
  ],
  tos: [
    3,
    (s) =>
      s.table === 'mangle'
        ? `-j TOS ${s.dice.pick(['--set-tos 0x10', '--set-tos 0x08/0x3f', '--or-tos 0x04', '--and-tos 0xfb'])}`
        : null,
  ],
  set: [8, setTarget],
  trace: [1, (s) => (s.table === 'raw' && !s.repeatable ? '-j TRACE' : null)],
  audit: [1, (s) => (s.repeatable ? null : '-j AUDIT --type accept')],
  ecn: [1, (s) => (s.table === 'mangle' && s.proto === 'tcp' && !s.v6 ? '-j ECN --ecn-tcp-remove' : null)],
  strip: [
    2,
    (s) =>
      s.table === 'mangle' && s.proto === 'tcp'
        ? `-j TCPOPTSTRIP --strip-options ${s.dice.pick(['timestamp', 'mss,wscale', '2,3', 'sack-permitted'])}`
        : null,
  ],
  queue: [
    1,
    (s) =>
      s.repeatable
        ? null
        : `-j NFQUEUE ${s.dice.pick(['--queue-num 1', '--queue-balance 0:3', '--queue-num 2 --queue-bypass'])}`,
  ],
  tee: [
    1,
    (s) =>
      s.table === 'mangle' && !s.repeatable
        ? `-j TEE --gateway ${s.v6 ? 'fd00:1::77' : '192.168.1.77'}`
        : null,
  ],
  hmark: [
    1,
    (s) =>
      s.table === 'mangle' && !s.repeatable
        ? '-j HMARK --hmark-tuple src,dst --hmark-mod 5 --hmark-rnd 0xcafe'
        : null,
  ],
  idletimer: [1, (s) => (s.repeatable ? null : `-j IDLETIMER --timeout 30 --label t${s.count++}`)],
};

function setTarget(s: XtScope): string | null {
  const usable = s.sets.filter((set) => !/list:set|hash:net|bitmap/.test(set));
  if (usable.length === 0) return null;
  const [name = '', type = ''] = s.dice.pick(usable).split(' ');
  const flags = type
    .split(':')[1]!
    .split(',')
    .map(() => s.dice.pick(['src', 'dst']))
    .join(',');
  return `-j SET ${s.dice.pick(['--add-set', '--add-set', '--del-set'])} ${name} ${flags}${s.dice.pick(['', ''])}`;
}

const WEIGHTS = Object.fromEntries(Object.entries(TARGETS).map(([name, [weight]]) => [name, weight]));

/** One target that is valid in the scope. */
export function xtTarget(scope: XtScope): string {
  for (;;) {
    const text = TARGETS[scope.dice.weighted(WEIGHTS)]![1](scope);
    if (text !== null) return text;
  }
}
