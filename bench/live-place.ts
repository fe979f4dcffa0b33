import type { ChildProcess } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { Namespace, offloadsOff, veth } from '../tests/live/namespace.ts';

/** Rules of an ordinary kind, for the kernel and for keepstate. */
export const RULES = `table inet filter {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    ct state invalid drop
    ip saddr { 127.0.0.0/8, 192.0.2.0/24, 224.0.0.0/4 } drop
    tcp dport { 22, 80, 443, 5201 } accept
    udp dport { 53, 4000 } accept
    icmp type echo-request accept
  }
}
`;

/** Port to which packets are sent that only count. */
export const SINK = 4000;

/** The client's address. */
export const CLIENT_ADDRESS = '10.9.1.2';

/** Client, what is measured, and server, with cables between, offloads off. */
export class Place {
  readonly client: Namespace = new Namespace('client');
  readonly middle: Namespace = new Namespace('middle');
  readonly server: Namespace = new Namespace('server');
  readonly target: string;
  /** MAC address to which the client sends what is for the server. */
  readonly mac: string;

  /** @param routed whether the middle forwards at the IP layer; else client and server share a network */
  constructor(routed: boolean) {
    veth(this.client, 'eth0', this.middle, 'left');
    veth(this.server, 'eth0', this.middle, 'right');
    for (const [space, device] of [
      [this.client, 'eth0'],
      [this.server, 'eth0'],
      [this.middle, 'left'],
      [this.middle, 'right'],
    ] as const)
      offloadsOff(space, device);
    this.client.address('eth0', `${CLIENT_ADDRESS}/24`);
    this.target = routed ? '10.9.2.2' : '10.9.1.3';
    this.server.address('eth0', `${this.target}/24`);
    if (routed) this.route();
    this.mac = routed ? macOf(this.middle, 'left') : macOf(this.server, 'eth0');
    // What only counts ends where it comes in, at the least cost to the core that brings it.
    const hook = 'type filter hook ingress device eth0 priority 0; policy accept;';
    const sink = `table netdev sink { chain in { ${hook} udp dport ${SINK} drop\n}\n}\n`;
    const { status, stderr } = this.server.run(['nft', '-f', '-'], sink);
    if (status !== 0) throw new Error(stderr);
  }

  private route(): void {
    this.middle.address('left', '10.9.1.1/24');
    this.middle.address('right', '10.9.2.1/24');
    this.client.ip('route', 'add', 'default', 'via', '10.9.1.1');
    this.server.ip('route', 'add', 'default', 'via', '10.9.2.1');
    this.middle.sysctl('net.ipv4.ip_forward', 1);
  }

  /** Frames that came to the server so far. */
  arrived(): number {
    const [link] = JSON.parse(this.server.ip('-s', '-j', 'link', 'show', 'eth0')) as [
      { stats64: { rx: { packets: number } } },
    ];
    return link.stats64.rx.packets;
  }

  close(): void {
    for (const space of [this.client, this.middle, this.server]) space.close();
  }
}

function macOf(space: Namespace, device: string): string {
  return (JSON.parse(space.ip('-j', 'link', 'show', device)) as [{ address: string }])[0].address;
}

/** A program that says `ready`, answers lines with lines, and ends with its input. */
export class Helper {
  private readonly child: ChildProcess;
  private readonly lines: Interface;

  constructor(child: ChildProcess) {
    this.child = child;
    this.lines = createInterface({ input: child.stdout! });
  }

  /** Its next line; rejects if it ends before. */
  line(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.lines.once('line', resolve);
      this.child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
    });
  }

  /** Asks for a line. */
  ask(): Promise<string> {
    const line = this.line();
    this.child.stdin!.write('\n');
    return line;
  }

  /** Ends it. */
  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.stdin!.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 500);
    await ended;
    clearTimeout(timer);
  }
}
