import type { SetQuery } from '../ipset/set-base.ts';
import { NF_INET_FORWARD, NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING } from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH, type XtArg, XtError, type XtOption } from './extension.ts';
import { plainQuery, readSetRef, type SetRef, setRefText } from './ipset-world.ts';
import { readUint } from './values.ts';
import { XtChange } from './xt-match.ts';

interface SetTargetSpec {
  add: SetRef | null;
  del: SetRef | null;
  map: SetRef | null;
  exist: boolean;
  timeout: number | null;
  mark: boolean;
  prio: boolean;
  queue: boolean;
}

/** Adds the packet to a set, takes it out of another, takes over what a third says of it, in this order. */
class SetTarget extends XtChange {
  private readonly spec: SetTargetSpec;
  private readonly adds: SetQuery | null;
  private readonly dels: SetQuery | null;
  private readonly maps: SetQuery | null;

  constructor(spec: SetTargetSpec) {
    super();
    this.spec = spec;
    this.adds = spec.add && plainQuery(spec.add);
    this.dels = spec.del && plainQuery(spec.del);
    this.maps = spec.map && plainQuery(spec.map);
  }

  apply(state: HookState): void {
    const { add, del, exist, timeout } = this.spec;
    if (add !== null) add.slot.set.addPacket(state, this.adds!, timeout ?? -1, exist);
    if (del !== null) del.slot.set.delPacket(state, this.dels!);
    if (this.maps !== null) this.take(state, this.maps);
  }

  private take(state: HookState, query: SetQuery): void {
    const { pkt } = state;
    if (!this.spec.map!.slot.set.match(state, query)) return;
    if (this.spec.mark) pkt.mark = (pkt.mark & ~query.skbmask) ^ query.skbmark;
    if (this.spec.prio) pkt.priority = query.skbprio;
  }
}

function refOption(name: string, key: 'add' | 'del' | 'map'): XtOption<SetTargetSpec> {
  return {
    name,
    args: 2,
    // It does nothing (measured).
    invert: true,
    parse: (spec, arg: XtArg) => {
      spec[key] = readSetRef(arg.words[0]!, arg.words[1]!, arg.ctx);
    },
  };
}

function flag(name: string, key: 'exist' | 'mark' | 'prio' | 'queue'): XtOption<SetTargetSpec> {
  return {
    name,
    args: 0,
    parse: (spec) => {
      spec[key] = true;
    },
  };
}

function save(spec: SetTargetSpec): string {
  const words: string[] = [];
  if (spec.add !== null) {
    words.push(`--add-set ${setRefText(spec.add)}`);
    if (spec.exist) words.push('--exist');
    if (spec.timeout !== null) words.push(`--timeout ${spec.timeout}`);
  }
  if (spec.del !== null) words.push(`--del-set ${setRefText(spec.del)}`);
  if (spec.map !== null) {
    words.push(`--map-set ${setRefText(spec.map)}`);
    if (spec.mark) words.push('--map-mark');
    if (spec.prio) words.push('--map-prio');
    if (spec.queue) words.push('--map-queue');
  }
  return words.join(' ');
}

/** `-j SET`: adds the packet's addresses and ports to an IP set or takes them out. */
export const TARGET_SET: Extension<SetTargetSpec> = {
  kind: 'target',
  name: 'SET',
  families: XT_BOTH,
  options: [
    refOption('add-set', 'add'),
    refOption('del-set', 'del'),
    refOption('map-set', 'map'),
    flag('exist', 'exist'),
    {
      name: 'timeout',
      parse: (spec, arg) => {
        const seconds = readUint(arg.text, 0, 0xfffffffe);
        if (seconds === undefined)
          throw new XtError('Invalid value for option --timeout or out of range 0-4294967294', undefined, 0);
        spec.timeout = seconds;
      },
    },
    flag('map-mark', 'mark'),
    flag('map-prio', 'prio'),
    flag('map-queue', 'queue'),
  ],
  init: () => ({
    add: null,
    del: null,
    map: null,
    exist: false,
    timeout: null,
    mark: false,
    prio: false,
    queue: false,
  }),
  finish: (spec) => {
    // Measured: each flag needs its option.
    if (spec.add === null && (spec.exist || spec.timeout !== null))
      throw new XtError("Flag `--exist' and option `--timeout' can be used with `--add-set' only");
    if (spec.map === null && (spec.mark || spec.prio || spec.queue))
      throw new XtError(
        "Flags `--map-mark', `--map-prio' and `--map-queue' can be used with `--map-set' only",
      );
    if (spec.add === null && spec.del === null && spec.map === null)
      throw new XtError("You must specify either `--add-set' or `--del-set' or `--map-set'");
    if (spec.map !== null && !spec.mark && !spec.prio && !spec.queue)
      throw new XtError("You must specify flags `--map-mark' or '--map-prio` or `--map-queue'");
  },
  check: (spec, facts) => {
    if (spec.map === null) return;
    if (facts.table !== 'mangle') throw new XtError('--map-set only usable from mangle table');
    const late = (1 << NF_INET_FORWARD) | (1 << NF_INET_LOCAL_OUT) | (1 << NF_INET_POST_ROUTING);
    if ((spec.prio || spec.queue) && (facts.hooks & ~late) !== 0)
      throw new XtError(
        'mapping of prio or/and queue is allowed only from OUTPUT/FORWARD/POSTROUTING chains',
      );
  },
  save,
  lower: (spec) => [new SetTarget(spec)],
};
