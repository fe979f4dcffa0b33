/** Makes up rules of iptables' core from words that are right, odd and wrong. */
import { Dice } from '../traffic/dice.ts';

type Tool = 'iptables' | 'ip6tables';

/** Values by kind; about one in six is refused by the real tool. */
const WORDS = {
  address4: [
    '1.2.3.4',
    '10.0.0.0/8',
    '192.168.1.77/24',
    '10.1.2.3/255.255.0.255',
    '0.0.0.0',
    '172.16.0.0/12',
    '10.1/9',
    '1.2.3',
    '1.2.3.4/33',
    '1.2.3.256',
    '9.9.9.9,8.8.8.8/31',
  ],
  address6: [
    '2001:db8::1',
    'fe80::/10',
    '2001:db8::/33',
    '::1',
    '::',
    'fe80::1/ffff::',
    '::ffff:1.2.3.4/120',
    '1::2::3',
    '2001:db8::/129',
    '2001:db8::1,2001:db8::2/65',
  ],
  device: ['eth0', 'eth+', 'lo', '+', 'wlan0.12', 'a234567890123456', 'br-lan', 'x:1'],
  port: [
    '22',
    '0',
    '65535',
    '1024:65535',
    ':1023',
    '80:80',
    '8000:',
    'ssh',
    'domain',
    'ntp',
    '65536',
    '9:8',
    'nosuch',
    '0x50',
    '017',
  ],
  ports: [
    '22',
    '22,80',
    '1:5,7',
    '80,443,8000:8080',
    'ssh,http',
    '1,2,3,4,5,6,7,8,9,10,11,12,13,14,15',
    '1,2,3,4,5,6,7,8,9,10,11,12,13,14,15:16',
    '5:4',
    '7:7',
    '',
  ],
  flags: ['SYN', 'ALL', 'NONE', 'SYN,ACK', 'FIN,SYN,RST,ACK', 'urg,psh', 'ACK,FIN,', 'FOO', 'SYN,ALL'],
  state: ['NEW', 'ESTABLISHED,RELATED', 'INVALID', 'UNTRACKED,NEW', 'new,est', 'FOO', 'NEW,'],
  ctstate: ['NEW', 'RELATED,ESTABLISHED', 'SNAT', 'DNAT,INVALID', 'n', 'INVALID,,NEW'],
  status: ['NONE', 'ASSURED', 'EXPECTED,CONFIRMED', 'seen_reply', 'FOO'],
  number: ['0', '1', '5', '6', '255', '256', '10000', '10001', '0x10', '-1', 'x'],
  rate: [
    '5/sec',
    '5',
    '1/min',
    '60/minute',
    '61/minute',
    '7/hour',
    '24/day',
    '3/h',
    '10000/s',
    '10001/s',
    '6667/s',
    '0/s',
    '5/fortnight',
    '99/m',
  ],
  hashrate: [
    '5/sec',
    '60/min',
    '7/day',
    '1000000/s',
    '1000001/s',
    '512kb/s',
    '33kb/s',
    '1mb/s',
    '100b/s',
    '5',
  ],
  hashmode: ['srcip', 'dstip,dstport', 'srcport,srcip', 'foo'],
  type: ['LOCAL', 'UNICAST,BROADCAST', 'MULTICAST', 'anycast', 'PROHIBIT', 'FOO', 'UNREACHABLE'],
  mac: ['00:11:22:33:44:55', 'a:B:c:D:e:F', '00:11:22:33:44', '00-11-22-33-44-55'],
  icmp: [
    '8',
    'echo-request',
    'ping',
    '3/1',
    'host-unreachable',
    'any',
    '255',
    '256',
    '3/256',
    'time',
    'TTL-exceeded',
    'redirect',
  ],
  icmp6: ['128', 'echo-request', '1/3', 'packet-too-big', 'router', 'neighbour-solicitation', '255', 'any'],
  text: ['abc', '"a b"', '""', '"a\\"b"', "a'b", '"x: "', 'a.b', 'a_b-c', '"tab\there"'],
  level: ['0', 'warning', '7', 'info', 'emerg', 'warn', '8'],
  reject4: [
    'icmp-port-unreachable',
    'tcp-reset',
    'icmp-host-prohibited',
    'host-unreach',
    'icmp6-no-route',
    'admin-prohib',
    'net',
  ],
  reject6: [
    'icmp6-port-unreachable',
    'tcp-reset',
    'adm-prohibited',
    'icmp-host-prohibited',
    'no-route',
    'reject-route',
  ],
  name: ['foo', 'SSH_1', 'a/b'],
  mask: ['255.255.255.0', '255.255.255.255', '24'],
  chunks: ['DATA', 'INIT,ABORT:T', 'ALL', 'NONE', 'DATA:UbE', 'init_ack', 'FOO', 'INIT:T'],
  how: ['any', 'all', 'only', 'some'],
  dccp: ['REQUEST', 'DATA,ACK', 'reset', 'FOO'],
} as const;

type Kind = keyof typeof WORDS;

/** An option: its name (with ! where it may be negated), and the kinds of its words. */
type Option = readonly [name: string, ...kinds: Kind[]];

/** Matches by name with their options; those under a protocol's number come with its -p. */
const MATCHES: readonly (readonly [name: string, protocol: string, options: readonly Option[]])[] = [
  [
    'tcp',
    'tcp',
    [
      ['!--sport', 'port'],
      ['!--dport', 'port'],
      ['!--syn'],
      ['!--tcp-flags', 'flags', 'flags'],
      ['!--tcp-option', 'number'],
    ],
  ],
  [
    'udp',
    'udp',
    [
      ['!--sport', 'port'],
      ['!--destination-port', 'port'],
    ],
  ],
  [
    'sctp',
    'sctp',
    [
      ['!--sport', 'port'],
      ['!--dport', 'port'],
      ['!--chunk-types', 'how', 'chunks'],
    ],
  ],
  [
    'dccp',
    'dccp',
    [
      ['!--sport', 'port'],
      ['!--dccp-types', 'dccp'],
      ['!--dccp-option', 'number'],
    ],
  ],
  [
    'multiport',
    'tcp',
    [
      ['!--dports', 'ports'],
      ['!--sports', 'ports'],
      ['!--ports', 'ports'],
    ],
  ],
  [
    'conntrack',
    '',
    [
      ['!--ctstate', 'ctstate'],
      ['!--ctproto', 'number'],
      ['!--ctorigdstport', 'port'],
      ['!--ctstatus', 'status'],
      ['!--ctexpire', 'number'],
      ['--ctdir', 'how'],
    ],
  ],
  ['state', '', [['!--state', 'state']]],
  [
    'limit',
    '',
    [
      ['--limit', 'rate'],
      ['--limit-burst', 'number'],
    ],
  ],
  [
    'hashlimit',
    '',
    [
      ['!--hashlimit-upto', 'hashrate'],
      ['--hashlimit-burst', 'number'],
      ['--hashlimit-mode', 'hashmode'],
      ['--hashlimit-name', 'name'],
      ['--hashlimit-htable-expire', 'number'],
    ],
  ],
  ['addrtype', '', [['!--src-type', 'type'], ['!--dst-type', 'type'], ['--limit-iface-in']]],
  ['mac', '', [['!--mac-source', 'mac']]],
  ['comment', '', [['--comment', 'text']]],
  [
    'recent',
    '',
    [
      ['!--set'],
      ['!--rcheck'],
      ['!--update'],
      ['--seconds', 'number'],
      ['--hitcount', 'number'],
      ['--rttl'],
      ['--name', 'name'],
      ['--rdest'],
    ],
  ],
];
const MATCHES4: typeof MATCHES = [
  ['icmp', 'icmp', [['!--icmp-type', 'icmp']]],
  ['recent', '', [['--set'], ['--mask', 'mask']]],
];
const MATCHES6: typeof MATCHES = [['icmp6', 'ipv6-icmp', [['!--icmpv6-type', 'icmp6']]]];
const CHAINS = ['INPUT', 'FORWARD', 'OUTPUT'];

class RuleMaker {
  private readonly dice: Dice;
  private readonly v4: boolean;

  constructor(tool: Tool, seed: number) {
    this.dice = new Dice(seed);
    this.v4 = tool === 'iptables';
  }

  private word(kind: Kind): string {
    // Odd and wrong words stand at the end of the lists.
    const words: readonly string[] = WORDS[kind];
    return this.dice.pick(this.dice.chance(75) ? words.slice(0, Math.ceil(words.length * 0.6)) : words);
  }

  private options(options: readonly Option[], percent: number): string[] {
    const out: string[] = [];
    for (const [i, [name, ...kinds]] of options.entries()) {
      if (!this.dice.chance(i === 0 && percent === 50 ? 90 : percent)) continue;
      const invert = name.startsWith('!') && this.dice.chance(25) ? ['!'] : [];
      out.push(...invert, name.replace('!', ''), ...kinds.map((kind) => this.word(kind)));
    }
    return out;
  }

  private target(): string[] {
    const kind = this.dice.pick(['ACCEPT', 'DROP', 'RETURN', 'LOG', 'REJECT', 'none'] as const);
    if (kind === 'none') return [];
    const words = ['-j', kind];
    if (kind === 'LOG')
      words.push(
        ...this.options(
          [['--log-prefix', 'text'], ['--log-level', 'level'], ['--log-uid'], ['--log-tcp-options']],
          40,
        ),
      );
    if (kind === 'REJECT')
      words.push(...this.options([['--reject-with', this.v4 ? 'reject4' : 'reject6']], 70));
    return words;
  }

  rule(): string {
    const { dice } = this;
    const [name, protocol, options] = dice.pick([...MATCHES, ...(this.v4 ? MATCHES4 : MATCHES6)]);
    const address: Kind = this.v4 ? 'address4' : 'address6';
    const own = this.options(
      [
        ['!-s', address],
        ['!-d', address],
        ['!-i', 'device'],
        ['!-o', 'device'],
      ],
      25,
    );
    const proto = protocol !== '' && dice.chance(95) ? ['-p', protocol] : [];
    return [
      '-A',
      dice.pick(CHAINS),
      ...own,
      ...proto,
      '-m',
      name,
      ...this.options(options, 50),
      ...this.target(),
    ].join(' ');
  }
}

/** As many rules, the same ones for the same seed. */
export function randomRules(tool: Tool, seed: number, count: number): string[] {
  const maker = new RuleMaker(tool, seed);
  return Array.from({ length: count }, () => maker.rule());
}
