/** Rulesets with address translation, in every language. */
import type { Dice } from '../traffic/dice.ts';
import type { Source } from './rules-types.ts';
import { HOST4, HOST6, INSIDE4, INSIDE6 } from './rules-world.ts';

/** What a ruleset is written in. */
export type NatKind =
  | 'iptables-legacy'
  | 'iptables-nft'
  | 'ip6tables-legacy'
  | 'ip6tables-nft'
  | 'nft-ip'
  | 'nft-ip6'
  | 'nft-inet';
export const NAT_KINDS: readonly NatKind[] = [
  'iptables-legacy',
  'iptables-nft',
  'ip6tables-legacy',
  'ip6tables-nft',
  'nft-ip',
  'nft-ip6',
  'nft-inet',
];

/** Addresses to translate sources to: the host's, and some that nobody has. */
const PUBLIC4: readonly string[] = [
  ...HOST4.slice(1),
  '203.0.113.10-203.0.113.13',
  '203.0.113.77',
  '192.0.2.0-192.0.2.255',
];
const PUBLIC6: readonly string[] = [HOST6[1]!, '2001:db8:1::77', '2001:db8:1::10-2001:db8:1::1f'];
const SERVER4: readonly string[] = [
  ...INSIDE4.slice(0, 3),
  '192.168.1.5-192.168.1.6',
  '198.51.100.8',
  '192.168.1.1',
];
const SERVER6: readonly string[] = [...INSIDE6.slice(0, 2), 'fd00:1::5-fd00:1::6', 'fd00:1::1'];
const PROTOS: readonly string[] = ['tcp', 'udp', 'sctp'];

function ports(dice: Dice, isRange: boolean): string {
  if (!isRange) return String(dice.pick([8080, 53, 5000]));
  const low = dice.pick([5000, 1000, 40000]);
  return `${low}-${low + dice.pick([0, 1, 3, 100])}`;
}

function xtAddress(address: string, to: string, v6: boolean): string {
  if (to === '') return address;
  return v6 ? `[${address}]:${to}` : `${address}:${to}`;
}

function xtSource(dice: Dice, v6: boolean): string {
  const proto = dice.chance(40) ? `-p ${dice.pick(PROTOS)} ` : '';
  const out = dice.pick(['-o eth0 ', '-o eth0 ', '-o eth1 ', '']);
  const flags = dice.pick(['', '', '', ' --persistent']);
  const to = proto !== '' && dice.chance(50) ? ports(dice, true) : '';
  switch (dice.weighted({ masq: 4, snat: 4, netmap: 1 })) {
    case 'masq':
      return `${out}${proto}-j MASQUERADE${to === '' ? '' : ` --to-ports ${to}`}`;
    case 'snat':
      return `${out}${proto}-j SNAT --to-source ${xtAddress(dice.pick(v6 ? PUBLIC6 : PUBLIC4), to, v6)}${flags}`;
    default:
      return v6
        ? '-s fd00:1::/64 -o eth0 -j NETMAP --to 2001:db8:77::/64'
        : '-s 192.168.1.0/24 -o eth0 -j NETMAP --to 192.0.2.0/24';
  }
}

function xtDestination(dice: Dice, v6: boolean, local: boolean): string {
  const proto = dice.chance(75) ? `-p ${dice.pick(PROTOS)} ` : '';
  const device = local ? '' : dice.pick(['-i eth0 ', '-i eth1 ', '']);
  const match = proto !== '' && dice.chance(60) ? `--dport ${dice.pick([80, 53, 443])} ` : '';
  const to = proto !== '' && dice.chance(60) ? ports(dice, dice.chance(30)) : '';
  switch (dice.weighted({ dnat: 6, redirect: 2, netmap: 1 })) {
    case 'dnat':
      return `${device}${proto}${match}-j DNAT --to-destination ${xtAddress(dice.pick(v6 ? SERVER6 : SERVER4), to, v6)}`;
    case 'redirect':
      return `${device}${proto}${match}-j REDIRECT${to === '' ? '' : ` --to-ports ${to}`}`;
    default:
      return v6
        ? '-d 2001:db8:1::/64 -j NETMAP --to fd00:1::/64'
        : '-d 203.0.113.0/24 -j NETMAP --to 192.168.1.0/24';
  }
}

function some(dice: Dice, most: number, make: () => string): string[] {
  return Array.from({ length: dice.below(most + 1) }, make);
}

function xtText(dice: Dice, v6: boolean): string {
  const lines = [
    ...some(dice, 3, () => `-A PREROUTING ${xtDestination(dice, v6, false)}`),
    ...some(dice, 3, () => `-A POSTROUTING ${xtSource(dice, v6)}`),
    ...some(dice, 1, () => `-A OUTPUT ${xtDestination(dice, v6, true)}`),
    ...some(dice, 1, () => `-A INPUT -j SNAT --to-source ${v6 ? 'fd00:1::99' : '192.168.1.99'}`),
  ];
  const reject = dice.chance(30)
    ? `*filter\n-A ${dice.pick(['FORWARD', 'INPUT'])} -p ${dice.pick(PROTOS.slice(0, 2))} --dport ${dice.pick([80, 8080, 53, 5000])} -j REJECT${dice.pick(['', v6 ? ' --reject-with icmp6-adm-prohibited' : ' --reject-with icmp-host-prohibited'])}\nCOMMIT\n`
    : '';
  return `*nat\n${lines.join('\n')}\nCOMMIT\n${reject}`;
}

function nftFlags(dice: Dice): string {
  return dice.pick(['', '', '', ' persistent']);
}

function nftAddress(address: string, to: string, v6: boolean): string {
  if (to === '') return address;
  const text = v6
    ? address
        .split('-')
        .map((part) => `[${part}]`)
        .join('-')
    : address;
  return `${text}:${to}`;
}

/** @param family `ip` or `ip6`; written in front where the table is inet's */
function nftSource(dice: Dice, family: string, isInet: boolean): string {
  const v6 = family === 'ip6';
  const proto = dice.chance(40)
    ? `meta l4proto ${dice.pick(PROTOS)} `
    : isInet
      ? `meta nfproto ipv${v6 ? 6 : 4} `
      : '';
  const to = proto.includes('l4proto') && dice.chance(50) ? ports(dice, true) : '';
  const out = dice.pick(['oifname "eth0" ', 'oifname "eth0" ', 'oifname "eth1" ', '']);
  const name = isInet ? ` ${family}` : '';
  switch (dice.weighted({ masq: 4, snat: 4, map: 1, prefix: 1 })) {
    case 'masq':
      return `${out}${proto}masquerade${to === '' ? '' : ` to :${to}`}`;
    case 'snat':
      return `${out}${proto}snat${name} to ${nftAddress(dice.pick(v6 ? PUBLIC6 : PUBLIC4), to, v6)}${nftFlags(dice)}`;
    case 'map':
      return v6
        ? `${out}snat${name} to ip6 saddr map { fd00:1::5 : 2001:db8:1::77, fd00:1::6 : 2001:db8:1::78 }`
        : `${out}snat${name} to ip saddr map { 192.168.1.5 : 203.0.113.2, 192.168.1.0-192.168.1.4 : 203.0.113.9, 10.0.0.0/8 : 203.0.113.10 }`;
    default:
      return v6
        ? `${out}snat ip6 prefix to ip6 saddr map { fd00:1::/64 : 2001:db8:77::/64 }`
        : `${out}snat ip prefix to ip saddr map { 192.168.1.0/24 : 192.0.2.0/24, 10.1.0.0/16 : 198.18.0.0/16 }`;
  }
}

function nftDestination(dice: Dice, family: string, isInet: boolean, local: boolean): string {
  const v6 = family === 'ip6';
  const proto = dice.pick(PROTOS);
  const match = dice.chance(60) ? `${proto} dport ${dice.pick([80, 53, 443])} ` : `meta l4proto ${proto} `;
  const to = dice.chance(60) ? ports(dice, dice.chance(30)) : '';
  const device = local ? '' : dice.pick(['iifname "eth0" ', 'iifname "eth1" ', '']);
  const name = isInet ? ` ${family}` : '';
  switch (dice.weighted({ dnat: 5, redirect: 2, concat: 1, numbers: 1 })) {
    case 'dnat':
      return `${device}${match}dnat${name} to ${nftAddress(dice.pick(v6 ? SERVER6 : SERVER4), to, v6)}${nftFlags(dice)}`;
    case 'redirect':
      return `${device}${match}redirect${to === '' ? '' : ` to :${to}`}`;
    case 'concat':
      return v6
        ? `${device}dnat${name} to tcp dport map { 80 : fd00:1::5 . 8080, 443 : fd00:1::6 . 8443 }`
        : `${device}dnat${name} to tcp dport map { 80 : 192.168.1.5 . 8080, 443 : 192.168.1.6 . 8443 }`;
    default:
      return v6
        ? `${device}${match}dnat${name} to ip6 daddr map { 2001:db8:1::1 : fd00:1::5 }`
        : `${device}${match}dnat${name} to ip daddr map { 203.0.113.1 : 192.168.1.5, 203.0.113.2 : 192.168.1.6 }`;
  }
}

function nftText(dice: Dice, table: string): string {
  const isInet = table === 'inet';
  const family = (): string => (isInet ? dice.pick(['ip', 'ip6']) : table);
  const chain = (name: string, hook: string, priority: string, rules: readonly string[]): string =>
    rules.length === 0 && dice.chance(60)
      ? ''
      : `chain ${name} {\ntype nat hook ${hook} priority ${priority}\n${rules.join('\n')}\n}\n`;
  const reject = dice.chance(30)
    ? `chain f {\ntype filter hook ${dice.pick(['forward', 'input'])} priority 0\n${dice.pick(['tcp', 'udp'])} dport { 80, 53, 8080, 5000 } reject${dice.pick(['', '', ' with tcp reset'])}\n}\n`.replace(
        /udp( dport .* with tcp reset)/,
        'tcp$1',
      )
    : '';
  return `table ${table} t {\n${[
    chain(
      'pre',
      'prerouting',
      'dstnat',
      some(dice, 3, () => nftDestination(dice, family(), isInet, false)),
    ),
    chain(
      'post',
      'postrouting',
      'srcnat',
      some(dice, 3, () => nftSource(dice, family(), isInet)),
    ),
    chain(
      'out',
      'output',
      '-100',
      some(dice, 1, () => nftDestination(dice, family(), isInet, true)),
    ),
    chain(
      'in',
      'input',
      '100',
      some(dice, 1, () =>
        isInet ? 'snat ip to 192.168.1.99' : `snat to ${table === 'ip6' ? 'fd00:1::99' : '192.168.1.99'}`,
      ),
    ),
    reject,
  ].join('')}}\n`;
}

/** A ruleset of a kind. */
export function natRules(dice: Dice, kind: NatKind): Source[] {
  if (kind.startsWith('nft')) return [{ kind: 'nft', text: nftText(dice, kind.slice(4)) }];
  return [{ kind: kind as Source['kind'], text: xtText(dice, kind.startsWith('ip6')) }];
}
