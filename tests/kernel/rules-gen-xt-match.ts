/** Matches of iptables rules. */
import type { Dice } from '../traffic/dice.ts';
import type { XtScope } from './rules-gen-xt.ts';
import { ALL4, ALL6, NETS4, NETS6, PORTS, SERVICES } from './rules-world.ts';

type Make = (scope: XtScope) => string | null;

function not(dice: Dice): string {
  return dice.chance(15) ? '! ' : '';
}

function address({ dice, v6 }: XtScope): string {
  const [all, nets] = v6 ? [ALL6, NETS6] : [ALL4, NETS4];
  return dice.pick([
    dice.pick(all),
    dice.pick(all),
    dice.pick(nets),
    ...(v6 ? [] : ['192.168.1.0/255.255.255.128']),
  ]);
}

function port(dice: Dice): string {
  const value = dice.pick(PORTS);
  const name = Object.keys(SERVICES).find((n) => SERVICES[n] === value);
  return name !== undefined && dice.chance(30) ? name : String(value);
}

function portRange(dice: Dice): string {
  return dice.pick([
    port(dice),
    port(dice),
    port(dice),
    '1:1023',
    '1024:65535',
    '53:80',
    ':1023',
    '1024:',
    '22:22',
  ]);
}

function inHook(scope: XtScope): boolean {
  return ['PREROUTING', 'INPUT', 'FORWARD'].includes(scope.chain);
}

const ICMP4: readonly string[] = [
  'echo-request',
  'echo-reply',
  '8',
  '0',
  'destination-unreachable',
  'port-unreachable',
  '3/3',
  'time-exceeded',
  'any',
  'redirect',
  'fragmentation-needed',
  'timestamp-request',
  '255',
  'parameter-problem',
  'ping',
];
const ICMP6: readonly string[] = [
  'echo-request',
  'echo-reply',
  '128',
  'destination-unreachable',
  'packet-too-big',
  'time-exceeded',
  'parameter-problem',
  '1/4',
  'neighbour-solicitation',
  'router-advertisement',
  'port-unreachable',
  '133',
  'neighbor-advertisement',
  'router-solicitation',
];
const STATES: readonly string[] = [
  'RELATED,ESTABLISHED',
  'ESTABLISHED,RELATED',
  'NEW',
  'INVALID',
  'ESTABLISHED',
  'UNTRACKED',
  'NEW,INVALID',
  'RELATED',
];

function tcpPart(dice: Dice): string {
  return dice.pick([
    `${not(dice)}--dport ${portRange(dice)}`,
    `--dport ${portRange(dice)}`,
    `-m tcp --dport ${portRange(dice)}`,
    `${not(dice)}--sport ${portRange(dice)}`,
    `--destination-port ${port(dice)}`,
    '--syn',
    '! --syn',
    '--tcp-flags FIN,SYN,RST,ACK SYN',
    '--tcp-flags ALL NONE',
    '--tcp-flags ALL FIN,PSH,URG',
    '! --tcp-flags SYN,RST SYN',
    '--tcp-flags SYN,FIN SYN,FIN',
    '--tcp-option 2',
    '! --tcp-option 8',
    `--sport 1024: --dport ${port(dice)}`,
    `--dport ${port(dice)} --syn`,
  ]);
}

function protocol(scope: XtScope): string {
  const { dice, v6 } = scope;
  const proto = dice.weighted({ tcp: 50, udp: 28, icmp: 16, sctp: 3, udplite: 1, other: 4, none: 4 });
  scope.proto = proto;
  if (proto === 'tcp')
    return `-p ${dice.pick(['tcp', 'tcp', '6'])} ${dice.chance(85) ? tcpPart(dice) : ''}`.trim();
  if (proto === 'udp') {
    const part = dice.pick([
      `--dport ${portRange(dice)}`,
      `${not(dice)}--sport ${portRange(dice)}`,
      `-m udp --dport ${portRange(dice)}`,
      '',
    ]);
    return `-p udp ${part}`.trim();
  }
  if (proto === 'icmp') {
    if (v6)
      return `-p ${dice.pick(['icmpv6', 'ipv6-icmp'])} ${dice.chance(80) ? `${not(dice)}--icmpv6-type ${dice.pick(ICMP6)}` : ''}`.trim();
    return `-p icmp ${dice.chance(80) ? `${not(dice)}--icmp-type ${dice.pick(ICMP4)}` : ''}`.trim();
  }
  if (proto === 'sctp') {
    return `-p sctp ${dice.pick([`--dport ${portRange(dice)}`, '--chunk-types any INIT', '--chunk-types only DATA', '--chunk-types all INIT,DATA', '! --chunk-types any ABORT', ''])}`.trim();
  }
  if (proto === 'udplite') return '-p udplite';
  if (proto === 'other')
    return `-p ${dice.pick(v6 ? ['gre', 'esp', '253'] : ['gre', 'esp', 'ah', 'igmp', '253'])}`;
  scope.proto = null;
  return dice.pick(['! -p tcp', '! -p udp', '-p all', '! -p icmp'].slice(0, v6 ? 2 : 4));
}

const MATCHES: Readonly<Record<string, readonly [number, Make]>> = {
  protocol: [90, (s) => (s.proto === null ? protocol(s) : null)],
  source: [35, (s) => `${not(s.dice)}-s ${address(s)}`],
  destination: [35, (s) => `${not(s.dice)}-d ${address(s)}`],
  inDevice: [
    30,
    (s) =>
      inHook(s) || s.chain === 'user'
        ? `${not(s.dice)}-i ${s.dice.pick(['eth0', 'eth1', 'lo', 'eth+', 'none0', 'e+'])}`
        : null,
  ],
  outDevice: [
    15,
    (s) =>
      ['FORWARD', 'OUTPUT', 'POSTROUTING'].includes(s.chain)
        ? `${not(s.dice)}-o ${s.dice.pick(['eth0', 'eth1', 'lo', 'eth+'])}`
        : null,
  ],
  fragment: [2, (s) => (s.v6 ? null : s.dice.pick(['-f', '! -f']))],
  conntrack: [
    60,
    ({ dice, v6 }) =>
      `-m conntrack ${dice.chance(75) ? `${not(dice)}--ctstate ${dice.pick(STATES)}` : dice.pick(['--ctdir ORIGINAL', '--ctdir REPLY', '--ctstatus ASSURED', '--ctstatus SEEN_REPLY', '--ctstatus NONE', '! --ctstatus CONFIRMED', '--ctproto tcp', '--ctproto 17', '--ctstate DNAT', '--ctstate SNAT', `--ctorigsrc ${v6 ? 'fd00:1::/64' : '192.168.1.0/24'}`, '--ctorigdstport 22', '--ctorigdstport 22:80', `--ctrepldst ${v6 ? 'fd00:1::5' : '192.168.1.5'}`, '--ctexpire 1:60'])}`,
  ],
  state: [30, ({ dice }) => `-m state ${not(dice)}--state ${dice.pick(STATES)}`],
  limit: [
    24,
    ({ dice }) =>
      `-m limit --limit ${dice.pick(['3/min', '5/minute', '10/hour', '3/hour', '2/hour', '12/min'])}${dice.pick(['', ' --limit-burst 1', ' --limit-burst 2', ' --limit-burst 10'])}`,
  ],
  multiport: [
    22,
    (s) => {
      if (s.proto === null || !['tcp', 'udp', 'sctp'].includes(s.proto)) return null;
      return `-m multiport ${not(s.dice)}${s.dice.pick(['--dports', '--dports', '--sports', '--ports', '--destination-ports'])} ${s.dice.pick(['22,80', '80,443,8080', '22,53:80', '1:1023,8080', 'domain,sip', '53', '1024:65535', '22,53,80,123,443,5060,8080'])}`;
    },
  ],
  recent: [
    12,
    (s) => {
      const name = s.dice.chance(60) ? ` --name ${s.dice.pick(['ssh', 'bad'])}` : '';
      const side = s.dice.pick(['', '', ' --rsource', ' --rdest']);
      return `-m recent ${s.dice.pick(['--set', '--set', '--rcheck', '--rcheck --seconds 60', '--update --seconds 60 --hitcount 2', '--update', '--remove', '! --rcheck', '--rcheck --hitcount 3', '--update --seconds 100 --hitcount 2 --rttl'])}${name}${side}`;
    },
  ],
  addrtype: [
    12,
    (s) =>
      `-m addrtype ${not(s.dice)}${s.dice.pick(['--dst-type LOCAL', '--dst-type LOCAL', ...(s.v6 ? [] : ['--dst-type BROADCAST', '--dst-type LOCAL,BROADCAST']), '--src-type LOCAL', '--dst-type UNICAST', '--dst-type MULTICAST', '--src-type UNICAST --dst-type LOCAL', ...(['PREROUTING', 'INPUT'].includes(s.chain) ? ['--dst-type LOCAL --limit-iface-in'] : []), ...(['POSTROUTING', 'OUTPUT'].includes(s.chain) ? ['--src-type LOCAL --limit-iface-out'] : [])])}`,
  ],
  comment: [
    8,
    ({ dice }) =>
      `-m comment --comment ${dice.pick(['plain', '"two words"', '"it is \\"quoted\\""', '"a/b:c"'])}`,
  ],
  hashlimit: [
    7,
    (s) =>
      `-m hashlimit ${s.dice.pick(['--hashlimit-above', '--hashlimit-upto'])} ${s.dice.pick(['2/min', '3/hour', '2/hour', '10/minute'])}${s.dice.pick(['', ' --hashlimit-burst 1', ' --hashlimit-burst 3'])}${s.dice.pick([' --hashlimit-mode srcip', ' --hashlimit-mode srcip,dstport', '', ' --hashlimit-mode dstip', ' --hashlimit-mode srcip --hashlimit-srcmask 24', ' --hashlimit-mode srcip --hashlimit-htable-expire 30000'])} --hashlimit-name h${s.count++}`,
  ],
  mac: [4, (s) => (inHook(s) ? `-m mac ${not(s.dice)}--mac-source 00:11:22:33:44:55` : null)],
  rpfilter: [
    4,
    (s) =>
      s.chain === 'PREROUTING' && s.table !== 'nat'
        ? `-m rpfilter${s.dice.pick(['', ' --invert', ' --loose', ' --validmark --invert', ' --accept-local'])}`
        : null,
  ],
  hl: [
    5,
    (s) =>
      s.v6
        ? `-m hl ${s.dice.pick(['--hl-eq 64', '--hl-lt 64', '--hl-gt 63', '! --hl-eq 255'])}`
        : `-m ttl ${s.dice.pick(['--ttl-eq 64', '--ttl-lt 64', '--ttl-gt 63', '! --ttl-eq 5'])}`,
  ],
  v6headers: [
    4,
    (s) =>
      s.v6
        ? s.dice.pick(
            [
              '-m rt --rt-type 0',
              '-m rt --rt-type 0 --rt-segsleft 0',
              '-m ipv6header --header hop --soft',
              '-m ipv6header --header dst,frag --soft',
              '-m ipv6header ! --header none',
              '-m frag --fragfirst',
              '-m frag --fragid 5',
              '-m dst --dst-len 8',
              '-m hbh --hbh-len 8',
              '-m ipv6header --header auth --soft',
              '-m eui64',
              '-m ipv6header --header tcp,prot --soft',
            ].slice(0, s.chain === 'PREROUTING' ? 12 : 10),
          )
        : null,
  ],
  iprange: [
    5,
    (s) =>
      `-m iprange ${not(s.dice)}${s.v6 ? s.dice.pick(['--src-range fd00:1::5-fd00:1::6', '--dst-range 2001:db8:5::1-2001:db8:5::1']) : s.dice.pick(['--src-range 192.168.1.5-192.168.1.127', '--dst-range 198.51.100.8-203.0.113.1', '--src-range 10.0.0.0-10.1.2.3 ! --dst-range 8.8.8.8-9.0.0.0'])}`,
  ],
  connlimit: [
    5,
    (s) =>
      `-m connlimit ${s.dice.pick(['--connlimit-above 2', '--connlimit-upto 2', '--connlimit-above 1 --connlimit-saddr', `--connlimit-above 3 --connlimit-mask ${s.v6 ? 64 : 24}`, '--connlimit-above 1 --connlimit-daddr'])}`,
  ],
  mark: [
    5,
    ({ dice }) =>
      `-m ${dice.pick(['mark', 'mark', 'connmark'])} ${not(dice)}--mark ${dice.pick(['0x1', '0', '5', '0x1/0xff', '0x10/0x10'])}`,
  ],
  owner: [
    4,
    (s) =>
      !s.repeatable && (s.chain === 'OUTPUT' || s.chain === 'POSTROUTING')
        ? `-m owner ${not(s.dice)}${s.dice.pick(['--uid-owner 0', '--uid-owner root', '--gid-owner 0', '--uid-owner 1000-2000', '--socket-exists'])}`
        : null,
  ],
  pkttype: [
    4,
    ({ dice }) => `-m pkttype ${not(dice)}--pkt-type ${dice.pick(['unicast', 'broadcast', 'multicast'])}`,
  ],
  helper: [3, ({ dice }) => `-m helper ${not(dice)}--helper ${dice.pick(['ftp', 'sip-5060'])}`],
  policy: [
    3,
    (s) =>
      ['FORWARD', 'INPUT', 'PREROUTING'].includes(s.chain)
        ? `-m policy --dir in --pol ${s.dice.pick(['none', 'ipsec'])}`
        : ['OUTPUT', 'POSTROUTING'].includes(s.chain)
          ? '-m policy --dir out --pol ipsec'
          : null,
  ],
  statistic: [
    4,
    ({ dice, repeatable }) =>
      `-m statistic --mode ${dice.pick(['nth --every 2 --packet 0', 'nth --every 3 --packet 1', 'nth --every 3 --packet 2', ...(repeatable ? [] : ['random --probability 0.5', 'random --probability 0.33332999982'])])}`,
  ],
  tcpmss: [
    3,
    (s) =>
      s.proto === 'tcp'
        ? `-m tcpmss ${not(s.dice)}--mss ${s.dice.pick(['1460', '1:536', '1400:1460', '1461:65535'])}`
        : null,
  ],
  string: [
    3,
    ({ dice }) =>
      `-m string ${not(dice)}--${dice.pick(['string "GET /"', 'string ping', 'hex-string "|70 69|ng"', 'string PING --icase', 'string attack --from 28 --to 60'])} --algo ${dice.pick(['bm', 'kmp'])}`,
  ],
  length: [
    3,
    ({ dice }) => `-m length ${not(dice)}--length ${dice.pick(['40', '40:60', ':100', '100:', '28'])}`,
  ],
  u32: [
    2,
    (s) =>
      s.v6
        ? null
        : `-m u32 --u32 ${s.dice.pick(['"6&0xFF=6"', '"0>>22&0x3C@0>>16=22"', '"8&0xFF000000=0x40000000:0xff000000"', '"4&0x3FFF=0&&0&0xFFFF=40:60"'])}`,
  ],
  bpf: [1, (s) => (s.v6 ? null : '-m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0"')],
  connbytes: [
    3,
    ({ dice }) =>
      `-m connbytes ${not(dice)}--connbytes ${dice.pick(['2', '1:3', '0:200'])} --connbytes-dir ${dice.pick(['original', 'reply', 'both'])} --connbytes-mode ${dice.pick(['packets', 'bytes', 'avgpkt'])}`,
  ],
  quota: [2, ({ dice }) => `-m quota ${not(dice)}--quota ${dice.pick([100, 500, 100000])}`],
  set: [
    30,
    (s) => {
      if (s.sets.length === 0) return null;
      const [name = '', type = ''] = s.dice.pick(s.sets).split(' ');
      const dims = type === 'list:set' ? 1 : type.split(':')[1]!.split(',').length;
      const flags = Array.from({ length: dims }, () => s.dice.pick(['src', 'dst'])).join(',');
      if (type === 'hash:net,iface' && !['PREROUTING', 'INPUT', 'FORWARD'].includes(s.chain)) return null;
      return `-m set ${not(s.dice)}--match-set ${name} ${type === 'hash:net,iface' ? 'src,src' : flags}`;
    },
  ],
  dscp: [
    3,
    ({ dice }) =>
      `-m dscp ${not(dice)}${dice.pick(['--dscp 0x2e', '--dscp-class EF', '--dscp-class CS1', '--dscp 0'])}`,
  ],
  tos: [
    2,
    ({ dice, v6 }) =>
      `-m tos ${not(dice)}--tos ${dice.pick(v6 ? ['0x10', '0x10/0x3f'] : ['0x10', 'Minimize-Delay', '0x08/0x08'])}`,
  ],
  ecn: [
    1,
    (s) =>
      s.proto === 'tcp'
        ? `-m ecn ${s.dice.pick(['--ecn-tcp-cwr', '--ecn-tcp-ece', '--ecn-ip-ect 3', '! --ecn-ip-ect 1'])}`
        : null,
  ],
  esp: [
    1,
    (s) => {
      if (s.proto !== null) return null;
      s.proto = 'esp';
      return `-p esp -m esp --espspi ${s.dice.pick(['1:500', '5'])}`;
    },
  ],
  ah: [1, (s) => (s.v6 ? `-m ah ${s.dice.pick(['--ahspi 0', '--ahspi 1:5', '--ahlen 24'])}` : null)],
  connlabel: [1, () => null],
  realm: [1, (s) => (s.v6 || s.chain === 'PREROUTING' || s.chain === 'user' ? null : '-m realm --realm 0')],
  cgroup: [1, (s) => (s.chain === 'OUTPUT' && !s.repeatable ? '-m cgroup --cgroup 0' : null)],
  devgroup: [
    1,
    (s) =>
      inHook(s) ? `-m devgroup ${not(s.dice)}--src-group ${s.dice.pick(['0', '5', '0x1/0xff'])}` : null,
  ],
  cluster: [
    1,
    (s) =>
      s.v6
        ? null
        : '-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 0xdeadbeef',
  ],
  socket: [1, (s) => (s.chain === 'PREROUTING' || s.chain === 'INPUT' ? '-m socket --transparent' : null)],
  osf: [1, (s) => (s.proto === 'tcp' && !s.v6 && !s.repeatable ? '-m osf --genre Linux' : null)],
  cpu: [1, (s) => (s.repeatable ? null : '-m cpu --cpu 0')],
  time: [
    2,
    (s) =>
      s.repeatable
        ? null
        : `-m time ${s.dice.pick(['--timestart 08:00 --timestop 18:00', '--weekdays Mon,Tue', '--datestart 2024-01-01T00:00:00', '--kerneltz --timestart 22:00 --timestop 06:00 --contiguous', '! --monthdays 1,2'])}`,
  ],
};

const WEIGHTS = Object.fromEntries(Object.entries(MATCHES).map(([name, [weight]]) => [name, weight]));

/** One match that is valid in the scope. */
export function xtMatch(scope: XtScope): string {
  for (;;) {
    const text = MATCHES[scope.dice.weighted(WEIGHTS)]![1](scope);
    if (text !== null) return text;
  }
}
