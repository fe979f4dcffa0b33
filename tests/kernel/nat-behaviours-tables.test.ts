/** Tables of both variants of iptables around translation: which of them sees what. */
import { afterAll, beforeAll, describe } from 'vitest';
import { natScenarios } from './nat-say.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';

/** Sources are translated as they come in; every table of INPUT logs whom it sees, and `security` drops who is translated. */
const RULES = `*nat
-A INPUT -p udp -j SNAT --to-source 192.168.1.99
COMMIT
${['mangle', 'filter', 'security']
  .map(
    (table) => `*${table}
-A INPUT -s 192.168.1.5 -j NFLOG --nflog-group 1 --nflog-prefix "${table} original"
-A INPUT -s 192.168.1.99 -j NFLOG --nflog-group 1 --nflog-prefix "${table} translated"
${table === 'security' ? '-A INPUT -s 192.168.1.99 -j DROP\n' : ''}COMMIT
`,
  )
  .join('')}`;

describe.skipIf(!rulesUsable())('tables and translation', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  });
  afterAll(() => kernel.close());

  natScenarios('of INPUT', () => kernel, [
    {
      name: 'the nft variant’s security stands behind source translation',
      sources: [{ kind: 'iptables-nft', text: RULES }],
      packets: 'udp inside 1024 > gate 53 => nothing',
    },
    {
      name: 'the legacy security stands before it',
      sources: [{ kind: 'iptables-legacy', text: RULES }],
      packets: 'udp inside 1024 > gate 53 => 192.168.1.99 1024 > gate 53',
    },
  ]);
});
