/**
 * A bridge in a process of its own, to be run in a namespace: `bridge-worker.ts JSON` with a {@link BridgeWork}. Says
 * `ready` when packets pass, then its counts whenever it gets a line, and ends with its standard input.
 */
import { createInterface } from 'node:readline';
import {
  bridgeHost,
  dissect,
  enterLink,
  Firewall,
  NF_ACCEPT,
  NF_DROP,
  Outcome,
  type Packet,
  Ruleset,
} from '@keepstate/engine';
import { Bridge } from '../../live/bridge.ts';
import type { Judge } from '../../live/driver.ts';
import { Loop } from '../../live/loop.ts';

/** What the worker is to do. */
export interface BridgeWork {
  /** Names of the devices, which get the numbers 2, 3 and so on. */
  readonly devices: readonly string[];
  /** Rules for a firewall. Without them all is accepted, but for: */
  readonly rules?: string;
  /** the destination port of TCP and UDP that nothing passes to. */
  readonly dropPort?: number;
}

/** Accepts all, but for one destination port. */
class PortJudge implements Judge {
  readonly outcome: Outcome = new Outcome();
  private readonly port: number;

  constructor(port: number) {
    this.port = port;
  }

  judge(pkt: Packet, linktype: number): number {
    if (!enterLink(pkt, linktype) || !dissect(pkt)) return NF_DROP;
    const hasPorts = pkt.l4 >= 0 && (pkt.proto === 6 || pkt.proto === 17);
    return hasPorts && pkt.view.getUint16(pkt.l4 + 2) === this.port ? NF_DROP : NF_ACCEPT;
  }
}

function judgeOf({ devices, rules, dropPort = -1 }: BridgeWork): Judge {
  if (rules === undefined) return new PortJudge(dropPort);
  const ruleset = new Ruleset();
  const errors = ruleset.load({ name: 'rules.nft', text: rules });
  if (errors.length > 0) throw errors[0];
  const firewall = new Firewall({ host: bridgeHost(devices), rules: ruleset.tables() });
  firewall.inPlace = true;
  return { outcome: firewall.outcome, judge: (pkt, linktype) => firewall.receive(pkt, linktype) };
}

const work = JSON.parse(process.argv[2]!) as BridgeWork;
const bridge = new Bridge({ devices: new Map(work.devices.map((name, i) => [name, i + 2])) });
const loop = new Loop([bridge], judgeOf(work));
loop.start();
console.log('ready');
const lines = createInterface({ input: process.stdin });
lines.on('line', () => console.log(JSON.stringify(bridge.counts)));
lines.on('close', () => void loop.stop().then(() => bridge.close()));
