/** Statements and verdicts of nft rules. */
import { fits, l3, type NftScope } from './rules-gen-nft-scope.ts';
import { ALL4, ALL6 } from './rules-world.ts';

type Make = (scope: NftScope) => string | null;

function early(scope: NftScope): boolean {
  return (
    (scope.hook === 'prerouting' || scope.hook === 'output') && /^(raw|-300|raw - 10)$/.test(scope.priority)
  );
}

const LIMITS: readonly string[] = [
  '5/minute',
  '3/hour',
  '10/minute burst 2 packets',
  'over 2/minute',
  'over 4/hour burst 3 packets',
  '1/day',
  '100 bytes/hour',
  'over 1 kbytes/minute burst 300 bytes',
  '2/minute burst 3 packets',
];

const STATEMENTS: Readonly<Record<string, readonly [number, Make]>> = {
  counter: [
    40,
    ({ dice }) =>
      dice.pick(['counter', 'counter', 'counter packets 0 bytes 0', 'counter packets 5 bytes 99']),
  ],
  limit: [
    18,
    ({ dice, repeatable }) =>
      `limit rate ${dice.pick(repeatable ? LIMITS : [...LIMITS, '10/second', '400/second burst 1000 packets', '1 mbytes/second', '10 mbytes/second burst 12000 kbytes'])}`,
  ],
  log: [
    16,
    ({ dice }) => {
      const prefix = dice.pick(['', ' prefix "nft: "', ' prefix "DROP in "', ' prefix "x"']);
      const rest = dice.pick([
        '',
        '',
        ' level info',
        ' level warn',
        ' level debug',
        ' flags all',
        ' flags tcp options',
        ' flags tcp sequence',
        ' flags ip options',
        ' flags skuid',
        ' level err flags tcp sequence,options',
        ' flags ether',
        ' level alert flags ip options',
      ]);
      return dice.chance(25) ? `log group ${dice.pick([1, 2, 5])}${prefix}` : `log${prefix}${rest}`;
    },
  ],
  mark: [
    10,
    ({ dice, family, has, v4 }) =>
      dice.pick([
        'meta mark set 0x1',
        'meta mark set 5',
        'mark set 7',
        'meta mark set mark and 0xff',
        'meta mark set meta mark or 0x10',
        'meta mark set mark & 0xffffff00 | 0x5',
        'meta mark set mark xor 0x3',
        'meta mark set 0x1 counter',
        ...(family === 'netdev'
          ? []
          : [
              'meta mark set ct mark',
              'ct mark set 0x5',
              'ct mark set mark',
              'ct mark set ct mark or 0x10',
              'ct mark set ct mark and 0xf or 0x20',
              'ct mark set 1 meta mark set 2',
            ]),
        ...(has.has('portmarks')
          ? ['meta mark set tcp dport map @portmarks', 'meta mark set udp dport map @portmarks']
          : []),
        ...(has.has('marks4') && v4 ? ['meta mark set ip saddr map @marks4'] : []),
        'meta mark set tcp dport map { 22 : 1, 80 : 2, 1024-65535 : 3 }',
        'meta mark set jhash ip saddr mod 4 seed 0x7',
        'meta mark set numgen inc mod 5 offset 4',
      ]),
  ],
  maxseg: [
    3,
    ({ dice, hook, family }) =>
      !['forward', 'output', 'postrouting'].includes(hook) || family === 'netdev'
        ? 'tcp option maxseg size set 1300'
        : `tcp flags syn tcp option maxseg size set ${dice.pick(['1300', 'rt mtu', '1459', '1'])}`,
  ],
  named: [
    8,
    ({ dice, has }) => {
      const possible = [
        has.has('hits') ? 'counter name "hits"' : '',
        has.has('budget') ? 'quota name "budget"' : '',
        has.has('pace') ? 'limit name "pace"' : '',
      ].filter((t) => t !== '');
      return possible.length === 0 ? null : dice.pick(possible);
    },
  ],
  dynamic: [
    8,
    (s) => {
      const v6 = l3(s);
      const f = v6 ? 6 : 4;
      const ip = v6 ? 'ip6' : 'ip';
      const possible = [
        ...(s.has.has(`seen${f}`)
          ? [
              `add @seen${f} { ${ip} saddr }`,
              `update @seen${f} { ${ip} saddr timeout 30s }`,
              `add @seen${f} { ${ip} daddr }`,
              `delete @seen${f} { ${ip} saddr }`,
            ]
          : []),
        ...(s.has.has(`dyn${f}`)
          ? [
              `add @dyn${f} { ${ip} saddr limit rate 3/hour burst 2 packets }`,
              `update @dyn${f} { ${ip} saddr counter }`,
              `add @dyn${f} { ${ip} daddr ct count over 2 }`,
              `update @dyn${f} { ${ip} saddr limit rate over 4/hour }`,
            ]
          : []),
        `meter m${s.count++} size 16 { ${ip} saddr limit rate 2/hour }`,
        `meter m${s.count++} { ${ip} saddr . tcp dport limit rate over 2/hour burst 1 packets }`,
      ];
      return s.dice.pick(possible);
    },
  ],
  rewrite: [
    6,
    (s) =>
      l3(s)
        ? s.dice.pick([
            'ip6 dscp set cs1',
            'ip6 hoplimit set 30',
            'ip6 flowlabel set 7',
            'ip6 ecn set ce',
            'ip6 dscp set ef',
          ])
        : s.dice.pick(
            [
              'ip dscp set cs1',
              'ip ttl set 30',
              'ip dscp set 0',
              'ip ecn set ce',
              'ip id set 5',
              'ip dscp set af21',
              'ip tos set 0x10',
            ].slice(0, 6),
          ),
  ],
  rewriteMore: [
    2,
    ({ dice }) =>
      dice.pick([
        'tcp window set 100',
        'udp length set 20',
        'tcp dport set 8080',
        'udp sport set 53',
        'tcp sequence set 5',
        '@th,16,16 set 80',
        'tcp option timestamp tsval set 9',
        'reset tcp option timestamp',
        'tcp urgptr set 0',
        'udp checksum set 0',
      ]),
  ],
  notrack: [5, (s) => (early(s) && s.family !== 'netdev' ? 'notrack' : null)],
  quota: [
    4,
    ({ dice }) =>
      `quota ${dice.pick(['over 200 bytes', 'until 150 bytes', '100 bytes', 'over 1 kbytes', '1 mbytes used 5 bytes'])}`,
  ],
  count: [
    3,
    (s) =>
      s.hook === 'ingress' || s.hook === 'user' ? null : `ct count ${s.dice.pick(['over 2', '3', 'over 0'])}`,
  ],
  meta: [
    3,
    ({ dice, repeatable, hook }) =>
      dice.pick(
        [
          'meta priority set 1:2',
          'meta priority set none',
          'meta nftrace set 1',
          ...(hook === 'prerouting' && !repeatable
            ? ['meta pkttype set host', 'ct zone set 5', 'ct event set new,destroy']
            : []),
          'ct label set 5',
        ].filter((t) => hook !== 'ingress' || !t.startsWith('ct')),
      ),
  ],
  last: [0, () => 'last'],
};

const WEIGHTS = Object.fromEntries(Object.entries(STATEMENTS).map(([name, [weight]]) => [name, weight]));

/** One statement that is valid in the scope. */
export function statement(scope: NftScope): string {
  for (;;) {
    const [, make] = STATEMENTS[scope.dice.weighted(WEIGHTS)]!;
    const { proto = null, v4, v6 } = scope;
    const text = make(scope);
    if (text !== null && fits(scope, text) && fitsFamily(scope, text)) return text;
    Object.assign(scope, { proto, v4, v6 });
  }
}

function fitsFamily(scope: NftScope, text: string): boolean {
  if (!scope.v4 && / ip (saddr|daddr)/.test(text)) return false;
  return scope.v6 || !/ ip6 (saddr|daddr)/.test(text);
}

function reject(scope: NftScope): string | null {
  if (!['input', 'forward', 'output', 'prerouting'].includes(scope.hook)) return null;
  const { dice, family } = scope;
  const icmp4 = [
    'net-unreachable',
    'host-unreachable',
    'prot-unreachable',
    'port-unreachable',
    'net-prohibited',
    'host-prohibited',
    'admin-prohibited',
  ];
  const icmp6 = [
    'no-route',
    'admin-prohibited',
    'addr-unreachable',
    'port-unreachable',
    'policy-fail',
    'reject-route',
  ];
  const any = ['port-unreachable', 'admin-prohibited', 'no-route', 'host-unreachable'];
  return dice.pick([
    'reject',
    'reject',
    ...(scope.proto == null || scope.proto === 'tcp' ? ['reject with tcp reset'] : []),
    ...(family === 'inet'
      ? [`reject with icmpx ${dice.pick(any)}`, `reject with icmpx type ${dice.pick(any)}`]
      : []),
    ...(scope.v4
      ? [`reject with icmp ${dice.pick(icmp4)}`, `reject with icmp type ${dice.pick(icmp4)}`]
      : []),
    ...(scope.v6 ? [`reject with icmpv6 ${dice.pick(icmp6)}`] : []),
  ]);
}

function vmap(scope: NftScope): string {
  const { dice, chains, has } = scope;
  const target = (): string =>
    dice.pick([
      'accept',
      'drop',
      'continue',
      'return',
      ...chains.map((name) => `${dice.pick(['jump', 'goto'])} ${name}`),
    ]);
  const v6 = l3(scope);
  const all = v6 ? ALL6 : ALL4;
  const possible = [
    `ct state vmap { established : accept, related : ${target()}, invalid : drop }`,
    `ct state vmap { invalid : drop, new : ${target()}, untracked : ${target()} }`,
    `tcp dport vmap { 22 : ${target()}, 80 : ${target()}, 1024-65535 : ${target()} }`,
    `udp dport vmap { 53 : ${target()}, 123 : ${target()} }`,
    `iifname vmap { "eth0" : ${target()}, "eth1" : ${target()}, "lo" : accept }`,
    `meta l4proto vmap { tcp : ${target()}, udp : ${target()}, icmp : accept, ipv6-icmp : accept }`,
    `${v6 ? 'ip6' : 'ip'} saddr vmap { ${all[0]!} : ${target()}, ${all[4]!} : ${target()} }`,
    `${v6 ? 'ip6' : 'ip'} saddr . tcp dport vmap { ${all[0]!} . 22 : ${target()}, ${all[1]!} . 80 : ${target()} }`,
    `${v6 ? 'ip6' : 'ip'} protocol vmap { tcp : ${target()}, icmp : ${target()} }`.replace(
      'ip6 protocol',
      'ip6 nexthdr',
    ),
    ...(has.has('verdicts') ? ['tcp dport vmap @verdicts', 'udp dport vmap @verdicts'] : []),
    `meta mark vmap { 0 : ${target()}, 1-5 : ${target()} }`,
    `numgen inc mod 2 vmap { 0 : ${target()}, 1 : ${target()} }`,
    ...(scope.v4 ? [`icmp type vmap { echo-request : ${target()}, echo-reply : accept }`] : []),
  ];
  return dice.pick(possible);
}

/** What ends a rule. */
export function verdict(scope: NftScope): string {
  const { dice } = scope;
  for (;;) {
    const { proto = null, v4, v6 } = scope;
    const kind = dice.weighted({ accept: 45, drop: 30, reject: 18, jump: 12, vmap: 12, return: 5, goto: 3 });
    let text: string | null = kind;
    if (kind === 'jump' || kind === 'goto')
      text = scope.chains.length === 0 ? null : `${kind} ${dice.pick(scope.chains)}`;
    else if (kind === 'reject') text = reject(scope);
    else if (kind === 'vmap') text = vmap(scope);
    if (text !== null && (kind === 'reject' || fits(scope, text)) && !isSplit(scope, text)) return text;
    Object.assign(scope, { proto, v4, v6 });
  }
}

function isSplit(scope: NftScope, text: string): boolean {
  return (
    (scope.family === 'netdev' && /reject|ct state/.test(text)) || (!scope.v6 && text.startsWith('ip6 '))
  );
}
