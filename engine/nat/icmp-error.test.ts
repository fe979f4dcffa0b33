import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Settings } from '../conntrack/settings.ts';
import { Firewall } from '../hook/firewall.ts';
import { Ruleset } from '../hook/ruleset.ts';
import { gateway } from '../hook/testing.mts';
import { icmpErrorPacket, tcpPacket, udpPacket } from '../packet/build.ts';
import { viewOf } from '../packet/build-bytes.ts';
import { fold, sum } from '../packet/checksum.ts';
import { DLT_RAW } from '../packet/link.ts';
import { Packet, resetPacket } from '../packet/packet.ts';

const ETH0 = 2;
const ETH1 = 3;
const CLIENT = '10.0.0.2';
const SERVER = '198.51.100.7';
const PUBLIC = '203.0.113.1';

/** A firewall that masquerades; what a packet that comes in by a device becomes, '' if it is dropped. */
class Router {
  readonly firewall: Firewall;
  private readonly pkt = new Packet();

  constructor(sysctls: Readonly<Record<string, number>> = {}) {
    const settings = new Settings();
    for (const [name, value] of Object.entries(sysctls)) settings.set(name, value);
    const ruleset = new Ruleset();
    const text =
      'table ip t {\nchain c {\ntype nat hook postrouting priority 100\noifname "eth0" masquerade\n}\n}\n';
    ruleset.load({ name: 'r.nft', text });
    this.firewall = new Firewall({ settings, host: gateway(), rules: ruleset.tables() });
    this.firewall.wantsBytes = true;
  }

  send(bytes: Uint8Array, ifin: number): Uint8Array | null {
    resetPacket(this.pkt, bytes, viewOf(bytes), 0, bytes.length);
    this.pkt.ifin = ifin;
    this.firewall.receive(this.pkt, DLT_RAW, 1_000_000);
    return this.firewall.outcome.out[0] ?? null;
  }
}

const ports = { sport: 1000, dport: 53 };
const ASK = udpPacket({ src: CLIENT, dst: SERVER, ...ports, payload: 30 });

describe('an ICMP error about a translated flow', () => {
  test('quotes what the sender sent, byte for byte, with its hop limit as the router saw it', () => {
    const router = new Router();
    const left = router.send(ASK, ETH1)!;
    const error = icmpErrorPacket({ src: SERVER, dst: PUBLIC, type: 3, code: 3, quoted: left });
    const back = router.send(error, ETH0)!;
    const quote = back.slice(28);
    const sent = ASK.slice();
    // One hop less, and the header's checksum with it.
    const view = viewOf(sent);
    view.setUint8(8, 63);
    view.setUint16(10, 0);
    view.setUint16(10, ~fold(sum(view, 0, 20)) & 0xffff);
    expect(Buffer.from(quote).toString('hex')).toBe(Buffer.from(sent).toString('hex'));
    expect(fold(sum(viewOf(back), 20, back.length))).toBe(0xffff);
    expect(back.slice(16, 20).join('.')).toBe(CLIENT);
  });

  test('is dropped if it quotes less than eight bytes of the transport header', () => {
    const router = new Router();
    const left = router.send(ASK, ETH1)!;
    const error = (quoteLength: number): Uint8Array =>
      icmpErrorPacket({ src: SERVER, dst: PUBLIC, type: 3, code: 3, quoted: left, quoteLength });
    expect([27, 28].map((length) => router.send(error(length), ETH0) !== null)).toEqual([false, true]);
  });

  test('is dropped with a wrong checksum, even where tracking does not mind', () => {
    const router = new Router({ nf_conntrack_checksum: 0 });
    const left = router.send(ASK, ETH1)!;
    const fields = { src: SERVER, dst: PUBLIC, type: 3, code: 3, quoted: left };
    expect(router.send(icmpErrorPacket({ ...fields, checksum: 0x1234 }), ETH0)).toBeNull();
    expect(router.send(icmpErrorPacket(fields), ETH0)).not.toBeNull();
  });

  test('is put back both ways, whatever is quoted and wherever it ends', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.integer({ min: 28, max: 80 }), fc.nat(4), (isTcp, quoteLength, code) => {
        const router = new Router();
        const ask = isTcp ? tcpPacket({ src: CLIENT, dst: SERVER, ...ports, flags: 2, payload: 9 }) : ASK;
        const left = router.send(ask, ETH1)!;
        const error = icmpErrorPacket({
          src: '192.0.2.9',
          dst: PUBLIC,
          type: 3,
          code,
          quoted: left,
          quoteLength,
        });
        const back = router.send(error, ETH0)!;
        // The transport's own bytes are the sender's, as far as they are there; a whole TCP header with its checksum.
        const same = isTcp && quoteLength < 40 ? 8 : quoteLength - 20;
        expect([...back.slice(48, 48 + same)]).toEqual(
          [...ask.slice(20, 20 + same)].slice(0, back.length - 48),
        );
        expect(back.slice(12, 16).join('.')).toBe('192.0.2.9');
        expect(fold(sum(viewOf(back), 20, back.length))).toBe(0xffff);
      }),
    );
  });
});
