import { Random } from '../engine/base/random.ts';
import { tcpPacket } from '../engine/packet/build.ts';

/** How many packets rules are measured with. */
export const RULE_PACKETS = 2048;

/** TCP segments without data of many clients of one server, both ways by turns, from the IP header on. */
export function ruleFrames(): Uint8Array[] {
  const random = new Random(1);
  return Array.from({ length: RULE_PACKETS }, (_, i) => {
    const client = `10.${random.below(256)}.${random.below(256)}.${random.below(256)}`;
    const ends = { src: client, dst: '93.184.216.34', sport: 1024 + random.below(60000), dport: 443 };
    const back = { src: ends.dst, dst: client, sport: 443, dport: ends.sport };
    return tcpPacket({ ...(i & 1 ? back : ends), flags: 0x10 });
  });
}
