/**
 * Watches a device of the namespace that it runs in: `capture-worker.ts DEVICE`. Says `ready`, then whenever it gets a
 * line the packets seen since, each as `in|out SOURCE DESTINATION PROTOCOL BYTES`, separated by `;`.
 */
import { createInterface } from 'node:readline';
import { dissect, enterLink, ipv4Text, NF_DROP, Outcome, type Packet } from '@keepstate/engine';
import { Capture } from '../../live/capture.ts';
import { Loop } from '../../live/loop.ts';

let seen: string[] = [];

function note(pkt: Packet, linktype: number): number {
  if (enterLink(pkt, linktype) && dissect(pkt) && pkt.view.getUint8(pkt.off) >> 4 === 4) {
    const { view, off } = pkt;
    const way = pkt.ifin === 7 ? 'in' : pkt.ifout === 7 ? 'out' : 'nowhere';
    const ends = `${ipv4Text(view.getUint32(off + 12))} ${ipv4Text(view.getUint32(off + 16))}`;
    seen.push(`${way} ${ends} ${pkt.proto} ${pkt.end - off}`);
  }
  return NF_DROP;
}

const capture = new Capture({ device: process.argv[2]!, number: 7 });
const judge = { outcome: new Outcome(), judge: note };
const loop = new Loop([capture], judge);
loop.start();
console.log('ready');
const lines = createInterface({ input: process.stdin });
lines.on('line', () => {
  // What came before the line, the loop may not have had its turn for.
  capture.run(judge, 1e6);
  console.log(seen.join(';'));
  seen = [];
});
lines.on('close', () => void loop.stop().then(() => capture.close()));
