/** Sends what the rules forbid, in both directions, without a pause, and watches whether any of it arrives. */
import { CLIENT4, CLIENT6, type Host, type Network, SERVER4, SERVER6 } from '../real/network.ts';
import { type Program, until } from '../real/process.ts';

/** UDP port and TCP port that no rule lets pass. */
const UDP = 9;
const TCP = 82;
/** UDP port that rules let pass: shows that the watcher sees. */
const ALLOWED = 7777;

/** Datagrams and SYNs of both families every few milliseconds; to the allowed port as well. */
const SEND = `
const { createSocket } = require('node:dgram');
const { connect } = require('node:net');
const send = (type, host) => {
  const s = createSocket(type);
  s.on('error', () => {});
  setInterval(() => {
    for (const port of [${UDP}, ${ALLOWED}]) s.send('x', port, host, () => {});
  }, 4);
  setInterval(() => {
    const c = connect(${TCP}, host);
    c.on('error', () => {});
    setTimeout(() => c.destroy(), 500);
  }, 40);
};
send('udp4', process.argv[1]);
send('udp6', process.argv[2]);
console.log('ready');
`;

const PORTS = `udp port ${UDP} or tcp port ${TCP}`;

interface Watch {
  readonly host: Host;
  readonly tcpdump: Program;
}

/** See above. */
export class Forbidden {
  private readonly senders: readonly Program[];
  private readonly watches: readonly Watch[];

  private constructor(network: Network) {
    const node = ['node', '-e', SEND];
    this.senders = [
      network.start('client', [...node, SERVER4, SERVER6]),
      network.start('server', [...node, CLIENT4, CLIENT6]),
    ];
    const dump = ['tcpdump', '-n', '-l', '--immediate-mode', '-Q', 'in', '-i', 'eth0'];
    this.watches = (['client', 'server'] as const).map((host) => {
      const also = host === 'server' ? ` or udp port ${ALLOWED}` : '';
      return { host, tcpdump: network.start(host, [...dump, `${PORTS}${also}`]) };
    });
  }

  /** Begins to send and to watch. */
  static async start(network: Network): Promise<Forbidden> {
    const made = new Forbidden(network);
    await until('senders', () => made.senders.every(({ stdout }) => stdout.includes('ready')), 30_000);
    await until(
      'tcpdump',
      () => made.watches.every(({ tcpdump }) => tcpdump.stderr.includes('listening')),
      30_000,
    );
    return made;
  }

  /** How many allowed packets arrived at the server. */
  get allowed(): number {
    return this.linesAt('server').filter((line) => isAllowed(line)).length;
  }

  /** Waits until allowed packets arrive that were sent from now on: by then all that was sent before has arrived. */
  async passes(): Promise<void> {
    const before = this.allowed;
    await until('an allowed packet', () => this.allowed > before + 20, 60_000);
  }

  /** Ends it. @returns what arrived though it must not, as tcpdump prints it */
  async end(): Promise<string[]> {
    for (const sender of this.senders) sender.signal('SIGKILL');
    for (const { tcpdump } of this.watches) tcpdump.signal('SIGINT');
    await Promise.all(this.watches.map(({ tcpdump }) => tcpdump.ended));
    return this.watches.flatMap(({ host }) =>
      this.linesAt(host)
        .filter((line) => !isAllowed(line))
        .map((line) => `${host}: ${line}`),
    );
  }

  private linesAt(host: Host): string[] {
    const watch = this.watches.find((each) => each.host === host)!;
    return watch.tcpdump.stdout.split('\n').filter((line) => line !== '');
  }
}

function isAllowed(line: string): boolean {
  return line.includes(`.${ALLOWED}: `);
}
