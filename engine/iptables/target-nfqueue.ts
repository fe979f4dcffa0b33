import { NFT_QUEUE_FLAG_BYPASS, NFT_QUEUE_FLAG_CPU_FANOUT, QueueExpr } from '../rules/expr-queue.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { rangeArg, uintArg } from './values.ts';

interface NfqueueSpec {
  num: number;
  total: number;
  bypass: boolean;
  fanout: boolean;
}

/** `-j NFQUEUE`: hands the packet to user space. */
export const TARGET_NFQUEUE: Extension<NfqueueSpec> = {
  kind: 'target',
  name: 'NFQUEUE',
  families: XT_BOTH,
  options: [
    {
      name: 'queue-num',
      excludes: ['queue-balance'],
      parse: (spec, arg) => {
        spec.num = uintArg(arg, 0, 65535);
      },
    },
    {
      name: 'queue-balance',
      excludes: ['queue-num'],
      parse: (spec, arg) => {
        if (!arg.text.includes(':')) throw new XtError(`Bad range "${arg.text}"`, 'first:last', 0);
        const [first, last] = rangeArg(arg, ':', 0, 65535);
        if (first >= last) throw new XtError(`${first} should be less than ${last}`, undefined, 0);
        spec.num = first;
        spec.total = last - first + 1;
      },
    },
    {
      name: 'queue-bypass',
      args: 0,
      parse: (spec) => {
        spec.bypass = true;
      },
    },
    {
      name: 'queue-cpu-fanout',
      args: 0,
      also: ['queue-balance'],
      parse: (spec) => {
        spec.fanout = true;
      },
    },
  ],
  init: () => ({ num: 0, total: 1, bypass: false, fanout: false }),
  check: (spec) => {
    if (spec.total > 0xffff) throw new XtError('NFQUEUE: number of total queues is too large');
  },
  save: (spec) => {
    const queues =
      spec.total > 1 ? `--queue-balance ${spec.num}:${spec.num + spec.total - 1}` : `--queue-num ${spec.num}`;
    return `${queues}${spec.bypass ? ' --queue-bypass' : ''}${spec.fanout ? ' --queue-cpu-fanout' : ''}`;
  },
  lower: (spec) => {
    const flags = (spec.bypass ? NFT_QUEUE_FLAG_BYPASS : 0) | (spec.fanout ? NFT_QUEUE_FLAG_CPU_FANOUT : 0);
    return [new QueueExpr(spec.num, spec.total, flags)];
  },
};
