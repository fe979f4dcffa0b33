/**
 * keepstate between two devices, in a process of its own: `live-keepstate.ts MODE RULES [CORE]`. Prints `ready`, then, for each
 * line it reads, its counts and how much memory it takes; ends with its input.
 */
import { createInterface } from 'node:readline';
import { bridgeHost, Firewall, type HostModel, Ruleset } from '@keepstate/engine';
import { Bridge } from '../live/bridge.ts';
import type { Driver } from '../live/driver.ts';
import { KernelHost } from '../live/kernel-host.ts';
import { declare } from '../live/libc.ts';
import { Loop } from '../live/loop.ts';
import { Nfqueue } from '../live/nfqueue.ts';
import { Tun } from '../live/tun.ts';

/** What it says of itself. */
export interface LiveReport {
  readonly counts: Driver['counts'];
  readonly rss: number;
  readonly heap: number;
  readonly flows: number;
  /** CPU time that it took so far (s). */
  readonly cpu: number;
}

const setAffinity = declare<(pid: number, size: number, cores: Uint8Array) => number>(
  'int sched_setaffinity(int pid, size_t size, void *cores)',
);

const [mode, text, core] = process.argv.slice(2);
// Only the thread that carries packets: V8's own compile and collect garbage wherever there is time.
if (core !== undefined) setAffinity(0, 1, Uint8Array.of(1 << Number(core)));
const ruleset = new Ruleset();
const errors = ruleset.load({ name: 'rules.nft', text: text! });
if (errors.length > 0) throw errors[0];

function driverOf(): { driver: Driver; host: HostModel } {
  switch (mode) {
    case 'bridge': {
      const devices = new Map([
        ['left', 2],
        ['right', 3],
      ]);
      return { driver: new Bridge({ devices }), host: bridgeHost([...devices.keys()]) };
    }
    case 'tun': {
      const { host } = KernelHost.forTun('tun0');
      return { driver: new Tun({ device: 'tun0', host }), host };
    }
    case 'nfqueue': {
      const host = KernelHost.forQueues();
      return { driver: new Nfqueue({ queues: [0], host }), host: host.host };
    }
    default:
      throw new Error(`no such mode: ${mode}`);
  }
}

const { driver, host } = driverOf();
const firewall = new Firewall({ host, rules: ruleset.tables() });
firewall.inPlace = true;
const loop = new Loop([driver], {
  outcome: firewall.outcome,
  judge: (pkt, linktype) => firewall.receive(pkt, linktype),
});
loop.start();
console.log('ready');
const lines = createInterface({ input: process.stdin });
lines.on('line', () => {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const report: LiveReport = {
    counts: driver.counts,
    rss,
    heap: heapUsed,
    flows: firewall.conntrack.table.count,
    cpu: (user + system) / 1e6,
  };
  console.log(JSON.stringify(report));
});
lines.on('close', () => void loop.stop().then(() => driver.close()));
