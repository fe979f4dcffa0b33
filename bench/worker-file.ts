/**
 * One measurement in a process of its own: reads a capture as the command line does, with as many of the stages
 * behind the reading as its arguments name. Whoever starts it takes the CPU time; it prints what came of it.
 *
 *     node worker-file.mjs FILE STAGE
 */
import { tuneCompiler } from '../cli/compiler.ts';
import { Firewall, Packet, resetPacket, Settings } from '../engine/index.ts';
import { eachRecord } from './each-record.ts';
import { STAGES, type Stage } from './stages.ts';

/** A firewall that evicts nothing, without what comes after a stage. */
function firewallFor(stage: Stage): Firewall {
  const settings = new Settings();
  const has = (wanted: Stage): boolean => STAGES.indexOf(stage) >= STAGES.indexOf(wanted);
  settings.set('nf_conntrack_max', 100_000_000);
  settings.set('nf_conntrack_checksum', has('checksum') ? 1 : 0);
  const firewall = new Firewall({ settings });
  const { conntrack } = firewall;
  if (!has('lookup')) {
    conntrack.track = () => true;
    conntrack.trackFound = () => true;
    conntrack.confirm = () => true;
    conntrack.table.find = () => 0;
    conntrack.table.findBy = () => 0;
  } else if (!has('state')) {
    // Every packet belongs to its flow, whatever it says, and keeps it for an hour.
    for (const proto of [1, 6, 17, 58])
      conntrack.tracker(proto).packet = (ct, pkt, flow, dir) => {
        ct.refresh(flow, pkt, dir, 3_600_000);
        return 0;
      };
  }
  return firewall;
}

/** Plays a capture as far as a stage. */
function play(file: string, stage: Stage): { packets: number; flows: number; states: number[] } {
  const states = new Uint32Array(16);
  let packets = 0;
  if (stage === 'start') return { packets, flows: 0, states: [] };
  if (stage === 'read') {
    eachRecord(file, () => {
      packets++;
    });
    return { packets, flows: 0, states: [] };
  }
  const firewall = firewallFor(stage);
  const pkt = new Packet();
  // Only the whole lets time pass: with the clock held still no timer is moved and none runs out.
  const still = stage !== 'expiry';
  let first = -1;
  eachRecord(file, (record) => {
    packets++;
    if (first < 0) first = record.time;
    resetPacket(pkt, record.bytes, record.view, record.off, record.off + record.caplen);
    pkt.time = still ? first : record.time;
    firewall.receive(pkt, record.linktype);
    states[pkt.ctinfo]!++;
  });
  return { packets, flows: firewall.conntrack.table.count, states: [...states] };
}

// As the command line does.
tuneCompiler();
const [file, stage] = process.argv.slice(2);
if (file === undefined || stage === undefined) throw new Error('usage: worker-file FILE STAGE');
const result = play(file, stage as Stage);
const peak = process.resourceUsage().maxRSS * 1024;
process.stdout.write(`${JSON.stringify({ ...result, peak })}\n`);
