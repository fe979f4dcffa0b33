import { type Chain, hookName, NF_DROP, type RuleTable } from '@keepstate/engine';
import type { World } from './command.ts';
import type { Session } from './session.ts';

/** Hooks of packets that are for the host itself or come from it, by {@link hookName}. */
const OWN_HOOKS: readonly string[] = ['INPUT', 'OUTPUT'];

/** Whether a chain would do something: iptables always lists its built-in ones. */
function matters({ base, rules }: Chain): boolean {
  return rules.length > 0 || base?.policy === NF_DROP;
}

/** What the default host means for a ruleset, behind the sentence that says what it is; empty for nothing. */
function consequences(tables: readonly RuleTable[]): string {
  const chains = tables.flatMap((table) => [...table.chains.values()]).filter(matters);
  const hooks = OWN_HOOKS.filter((name) =>
    chains.some(({ base }) => base !== null && hookName(base.hook) === name),
  );
  const masquerades = chains.some(({ rules }) => rules.some((r) => r.exprs.some((e) => e.name === 'masq')));
  const met = hooks.length === 0 ? '' : `, so that no packet meets the rules at ${hooks.join(' and ')}`;
  return `${met}${masquerades ? '; masquerade, which takes the address of a device, changes nothing' : ''}`;
}

/** Says what nobody told it about the host, and which rules therefore do nothing. */
export function sayDefaultHost(session: Session, world: World): void {
  if (session.rules?.host.isDefault !== true) return;
  world.say(
    'keepstate: no host is described (--host, --iface, --route, --local): every packet is forwarded from eth0 to ' +
      `eth1${consequences(session.rules.tables)}`,
  );
}
