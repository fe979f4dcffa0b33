/**
 * One measurement in a process of its own: how long a large ruleset takes from its text to what runs. Prints CPU
 * milliseconds and the number of rules as JSON.
 *
 *     node rules-load-worker.mjs plain|kube-iptables|kube-nft SIZE
 */
import { Ruleset } from '../engine/hook/ruleset.ts';
import { programOf } from '../engine/rules/runner.ts';

const low = (i: number): string => `${(i >> 8) & 255}.${i & 255}`;

/** So many rules of one chain, as iptables-save writes them. */
function plainIptables(rules: number): string {
  const lines = Array.from({ length: rules }, (_, i) => {
    const port = (i % 60000) + 1;
    const source = `10.${(i >> 16) & 255}.${low(i)}/32`;
    return `-A INPUT -s ${source} -p tcp -m tcp --dport ${port} -m comment --comment "rule ${i}" -j ACCEPT`;
  });
  const chains = ['INPUT DROP', 'FORWARD DROP', 'OUTPUT ACCEPT'].map((chain) => `:${chain} [0:0]`);
  return ['*filter', ...chains, ...lines, 'COMMIT', ''].join('\n');
}

/** What kube-proxy makes of so many services with two endpoints each, in its iptables mode. */
function kubeIptables(services: number): string {
  const chains = ['PREROUTING ACCEPT', 'OUTPUT ACCEPT', 'KUBE-SERVICES -', 'KUBE-MARK-MASQ -'];
  const rules = [
    '-A PREROUTING -j KUBE-SERVICES',
    '-A OUTPUT -j KUBE-SERVICES',
    '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000',
  ];
  for (let i = 0; i < services; i++) {
    const comment = `-m comment --comment "ns/svc${i}:http"`;
    const service = `KUBE-SVC-${String(i).padStart(16, 'A')}`;
    chains.push(`${service} -`);
    rules.push(`-A KUBE-SERVICES -d 10.96.${low(i)}/32 -p tcp ${comment} -m tcp --dport 80 -j ${service}`);
    for (let end = 0; end < 2; end++) {
      const endpoint = `KUBE-SEP-${String(i * 2 + end).padStart(16, 'B')}`;
      const address = `10.244.${low(i * 2 + end)}`;
      const half = end === 0 ? ' -m statistic --mode random --probability 0.50000000000' : '';
      chains.push(`${endpoint} -`);
      rules.push(`-A ${service} ${comment}${half} -j ${endpoint}`);
      rules.push(`-A ${endpoint} -s ${address}/32 ${comment} -j KUBE-MARK-MASQ`);
      rules.push(`-A ${endpoint} -p tcp ${comment} -m tcp -j DNAT --to-destination ${address}:8080`);
    }
  }
  return ['*nat', ...chains.map((chain) => `:${chain} [0:0]`), ...rules, 'COMMIT', ''].join('\n');
}

/** The same in its nftables mode: verdict maps instead of long chains. */
function kubeNft(services: number): string {
  const lines = ['table ip kube-proxy {'];
  for (let i = 0; i < services; i++) {
    for (let end = 0; end < 2; end++)
      lines.push(`chain ep-${i}-${end} {`, `meta l4proto tcp dnat to 10.244.${low(i * 2 + end)}:8080`, '}');
    lines.push(
      `chain svc-${i} {`,
      'ip saddr != 10.244.0.0/16 meta mark set meta mark | 0x4000',
      `numgen random mod 2 vmap { 0 : goto ep-${i}-0, 1 : goto ep-${i}-1 }`,
      '}',
    );
  }
  const elements = Array.from({ length: services }, (_, i) => `10.96.${low(i)} . tcp . 80 : goto svc-${i}`);
  lines.push('map service-ips {', 'type ipv4_addr . inet_proto . inet_service : verdict');
  lines.push(`elements = { ${elements.join(',\n')} }`, '}');
  lines.push('chain services {', 'type nat hook prerouting priority dstnat');
  lines.push('ip daddr . meta l4proto . th dport vmap @service-ips', '}', '}', '');
  return lines.join('\n');
}

const MAKERS: Readonly<Record<string, (size: number) => string>> = {
  plain: plainIptables,
  'kube-iptables': kubeIptables,
  'kube-nft': kubeNft,
};

const [kind, size] = process.argv.slice(2);
const text = MAKERS[kind!]!(Number(size));
const start = process.cpuUsage();
const ruleset = new Ruleset();
const [error] = ruleset.load({ name: kind!, text });
if (error !== undefined) throw error;
const tables = ruleset.tables();
const loaded = process.cpuUsage(start);
for (const { chains } of tables) for (const chain of chains.values()) programOf(chain);
const compiled = process.cpuUsage(start);
const ms = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000;
process.stdout.write(
  JSON.stringify({ load: ms(loaded), compiled: ms(compiled), rules: ruleset.counts().rules }),
);
