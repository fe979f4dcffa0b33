import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { Xtables } from '../engine/iptables/xtables.ts';
import { netlinkText } from '../engine/nft/netlink-text.ts';
import { NFPROTO_IPV4, NFPROTO_IPV6 } from '../engine/rules/family.ts';
import { realIptables } from './iptables-listing/real.ts';

/** Rules that iptables-nft makes of nf_tables' own expressions, all of them. */
const RULES4 = [
  '-s 1.2.3.4 -d 5.6.7.0/24 -i eth0 -o eth+ -p tcp -m tcp --dport 22:80 -j ACCEPT',
  '! -s 1.2.3.4/255.0.255.0 ! -d 5.6.7.0/24 ! -i eth0 ! -o eth+ ! -p tcp ! -f -j DROP',
  '-s 1.2.0.0/15 -f -j RETURN',
  '-s 10.0.0.0/8 -d 128.0.0.0/1',
  '-p tcp -m tcp ! --sport 5 ! --dport 7:9 ! --syn -j user',
  '-p tcp -m tcp --tcp-flags SYN,ACK ACK -g user',
  '-p udp -m udp --sport 0:100 --dport 1024:65535',
  '-p udp -m udp ! --sport 0:100 ! --dport 1024:65535',
  '! -i +',
  '-o a -p 132',
  '-m limit --limit 7/min --limit-burst 9 -j ACCEPT',
  '-p icmp -s 0.0.0.0',
];
const RULES6 = [
  '-s fe80::/10 -d 2001:db8::1 -p ipv6-icmp -j DROP',
  '! -s fe80::1/ffff::ffff -p tcp -m tcp --dport 5',
  '-s 2001:db8::/32 ! -d ::/128 -i lo',
];

/** What `nft --debug=netlink` shows of each rule in FORWARD, without counters. */
function real(tool: 'iptables' | 'ip6tables', rules: readonly string[]): string[][] {
  const text = `*filter\n:user -\n${rules.map((rule) => `-A FORWARD ${rule}\n`).join('')}COMMIT\n`;
  const script = `${tool}-restore && nft --debug=netlink list ruleset 2>/dev/null`;
  const { stdout } = spawnSync('unshare', ['-n', 'bash', '-c', script], { input: text, encoding: 'utf8' });
  const out: string[][] = [];
  for (const line of stdout.split('\n')) {
    if (/^ip6? filter FORWARD/.test(line)) out.push([]);
    else if (line.startsWith('  [ ') && !line.includes('[ counter'))
      out.at(-1)!.push(line.trim().slice(2, -2));
  }
  return out;
}

function ours(tool: 'iptables' | 'ip6tables', rules: readonly string[]): string[][] {
  const tables = new Xtables(tool === 'iptables' ? NFPROTO_IPV4 : NFPROTO_IPV6);
  tables.commandLine('-N user');
  for (const rule of rules) tables.commandLine(`-A FORWARD ${rule}`);
  const chain = tables.tables()[0]!.chains.get('FORWARD')!;
  return chain.rules.map((rule) => rule.exprs.map((expr) => netlinkText(expr).trim()));
}

describe.skipIf(!realIptables())(
  'rules become the expressions that iptables-nft puts into the kernel',
  () => {
    test('IPv4', () => {
      expect(ours('iptables', RULES4)).toEqual(real('iptables', RULES4));
    });

    test('IPv6', () => {
      expect(ours('ip6tables', RULES6)).toEqual(real('ip6tables', RULES6));
    });
  },
);
