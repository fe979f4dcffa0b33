import { jhash, reciprocalScale } from '../base/jhash.ts';
import { F_KIND, F_MASTER, F_SRC, ROW_WORDS } from '../conntrack/flow-table.ts';
import { AF_INET } from '../packet/packet.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { hex, uintArg } from './values.ts';
import { XtMatch } from './xt-match.ts';

interface ClusterSpec {
  total: number;
  node: number | null;
  nodemask: number | null;
  seed: number;
  inverted: boolean;
}

const addressScratch = new Uint8Array(4);
const addressView = new DataView(addressScratch.buffer);

/** Which node of a cluster answers for the packet's flow, by a hash of who opened it. */
class ClusterMatch extends XtMatch {
  private readonly spec: ClusterSpec;
  private readonly mask: number;

  constructor(spec: ClusterSpec) {
    super();
    this.spec = spec;
    this.mask = maskOf(spec);
  }

  matches(state: HookState): boolean {
    const { flow } = state.pkt;
    if (flow === 0) return false;
    const { words } = state.conntrack.table;
    const master = words[flow * ROW_WORDS + F_MASTER]!;
    const node = this.node(state, master === 0 ? flow : master);
    return ((this.mask & (1 << node)) !== 0) !== this.spec.inverted;
  }

  private node(state: HookState, flow: number): number {
    const { words } = state.conntrack.table;
    const row = flow * ROW_WORDS;
    const source = words[row + F_SRC]!;
    const isV4 = words[row + F_KIND]! >>> 8 === AF_INET;
    // Of IPv6 only the first four bytes are hashed (measured).
    addressView.setInt32(0, isV4 ? source : state.conntrack.pool.word(source, 0));
    return reciprocalScale(jhash(addressScratch, 0, 4, this.spec.seed | 0), this.spec.total);
  }
}

function maskOf(spec: ClusterSpec): number {
  return spec.nodemask ?? (1 << (spec.node! - 1)) >>> 0;
}

/** `-m cluster`: whether this machine answers for the packet in a cluster without a balancer. */
export const MATCH_CLUSTER: Extension<ClusterSpec> = {
  kind: 'match',
  name: 'cluster',
  families: XT_BOTH,
  options: [
    {
      name: 'cluster-total-nodes',
      required: true,
      parse: (spec, arg) => {
        spec.total = uintArg(arg, 1, 32);
      },
    },
    {
      name: 'cluster-local-node',
      invert: true,
      excludes: ['cluster-local-nodemask'],
      parse: (spec, arg) => {
        spec.node = uintArg(arg, 1, 32);
        spec.inverted = arg.inverted;
      },
    },
    {
      name: 'cluster-local-nodemask',
      invert: true,
      excludes: ['cluster-local-node'],
      parse: (spec, arg) => {
        // The real tool's own limit, though the value is a mask (measured).
        spec.nodemask = uintArg(arg, 1, 32);
        spec.inverted = arg.inverted;
      },
    },
    {
      name: 'cluster-hash-seed',
      required: true,
      parse: (spec, arg) => {
        spec.seed = uintArg(arg);
      },
    },
  ],
  init: () => ({ total: 1, node: null, nodemask: null, seed: 0, inverted: false }),
  finish: (spec) => {
    if (spec.node === null && spec.nodemask === null)
      throw new XtError("cluster match: `--cluster-local-node' or `--cluster-local-nodemask' is missing");
    if (spec.node !== null && spec.node > spec.total)
      throw new XtError("cluster match: `--cluster-local-node' must be <= `--cluster-total-nodes'");
    if (spec.nodemask !== null && spec.nodemask >= 2 ** spec.total)
      throw new XtError("cluster match: `--cluster-local-nodemask' too big for `--cluster-total-nodes'");
  },
  save: (spec) =>
    `${spec.inverted ? '! ' : ''}--cluster-local-nodemask ${hex(maskOf(spec), 8)} --cluster-total-nodes ${spec.total} --cluster-hash-seed ${hex(spec.seed, 8)}`,
  lower: (spec) => [new ClusterMatch(spec)],
};
