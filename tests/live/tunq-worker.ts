/**
 * A process that runs the nfqueue or the TUN driver in the namespace it was started in, with a judge that the first
 * argument (JSON) describes. Prints `ready`, then on SIGUSR2 its counts; ends on SIGTERM.
 */
import {
  Firewall,
  type HostModel,
  NF_ACCEPT,
  NF_DROP,
  Outcome,
  type Packet,
  Ruleset,
} from '@keepstate/engine';
import type { Driver, Judge } from '../../live/driver.ts';
import { KernelHost } from '../../live/kernel-host.ts';
import { POLLIN, poll, pollSet } from '../../live/libc.ts';
import { Nfqueue } from '../../live/nfqueue.ts';
import { Tun } from '../../live/tun.ts';

/** What the worker is told. */
export interface Task {
  readonly mode: 'nfqueue' | 'tun';
  /** Rules for the engine; without them every packet is accepted. */
  readonly rules?: string;
  /** Without rules: the destination port whose packets are dropped. */
  readonly dropPort?: number;
  /** Without rules: the mark that packets get. */
  readonly mark?: number;
  readonly queues?: readonly number[];
  readonly failOpen?: boolean;
  readonly gso?: boolean;
  readonly maxlen?: number;
  readonly device?: string;
  readonly offload?: boolean;
  /** ms that the judge takes for each packet. */
  readonly slow?: number;
}

const task = JSON.parse(process.argv[2]!) as Task;

/** Accepts all but one port's packets; no engine behind it. */
class Plain implements Judge {
  readonly outcome: Outcome = new Outcome();
  judge(pkt: Packet): number {
    if (task.slow !== undefined) for (const end = performance.now() + task.slow; performance.now() < end; );
    if (task.mark !== undefined) pkt.mark = task.mark;
    if (task.dropPort === undefined) return NF_ACCEPT;
    const { view, off } = pkt;
    const l4 = view.getUint8(off) >> 4 === 6 ? off + 40 : off + 20;
    return view.getUint16(l4 + 2) === task.dropPort ? NF_DROP : NF_ACCEPT;
  }
}

class Engine implements Judge {
  readonly firewall: Firewall;
  constructor(host: HostModel, text: string) {
    const ruleset = new Ruleset();
    const errors = ruleset.load({ name: 'rules', text });
    if (errors.length > 0) throw errors[0];
    this.firewall = new Firewall({ host, rules: ruleset.tables() });
    this.firewall.inPlace = true;
  }
  get outcome(): Outcome {
    return this.firewall.outcome;
  }
  judge(pkt: Packet, linktype: number): number {
    return this.firewall.receive(pkt, linktype);
  }
}

function start(): { driver: Driver; judge: Judge } {
  if (task.mode === 'tun') {
    const host = KernelHost.forTun(task.device!);
    const driver = new Tun({ device: task.device!, host: host.host, offload: task.offload ?? true });
    return { driver, judge: task.rules === undefined ? new Plain() : new Engine(host.host, task.rules) };
  }
  const host = KernelHost.forQueues();
  const { queues = [0], failOpen = false, gso = true, maxlen = 4096 } = task;
  const driver = new Nfqueue({ queues, host, failOpen, gso, maxlen });
  return { driver, judge: task.rules === undefined ? new Plain() : new Engine(host.host, task.rules) };
}

const { driver, judge } = start();
const ready = pollSet(driver.fds);
process.on('SIGUSR2', () => console.log(JSON.stringify(driver.counts)));
process.on('SIGTERM', () => {
  driver.close();
  process.exit(0);
});
console.log('ready');
function turn(): void {
  if (poll(ready, POLLIN, 20) !== 0) driver.run(judge, 1024);
  setImmediate(turn);
}
turn();
