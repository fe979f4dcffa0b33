/** libc and libnftables calls that only the ruleset oracle needs, through koffi. Linux, little endian. */
import koffi from 'koffi';
import * as libc from '../../live/libc.ts';

const { check, declare } = libc;

const cSendto = declare<
  (fd: number, from: Uint8Array, length: number, flags: number, to: Uint8Array, toLength: number) => number
>('int sendto(int fd, void *from, size_t length, int flags, void *to, uint toLength)');
const cSeek = declare<(fd: number, offset: number, whence: number) => number>(
  'long lseek(int fd, long offset, int whence)',
);
const cRead = declare<(fd: number, into: Uint8Array, length: number) => number>(
  'int read(int fd, void *into, size_t length)',
);
const cFlock = declare<(fd: number, operation: number) => number>('int flock(int fd, int operation)');
const cOpenNew = declare<(path: string, flags: number, mode: number) => number>(
  'int open(const char *path, int flags, int mode)',
);

const AF_INET = 2;
const AF_INET6 = 10;
const IPPROTO_RAW = 255;
const IPPROTO_IPV6 = 41;
const IPV6_HDRINCL = 36;
const SO_BROADCAST = 6;
const SEEK_END = 2;
const O_CREAT_RDWR = 0x42;
const LOCK_EX = 2;
const LOCK_UN = 8;

/** A raw socket that sends whole IP packets from this host. */
export function rawSocket(v6: boolean): number {
  const fd = check(libc.socket(v6 ? AF_INET6 : AF_INET, libc.SOCK_RAW, IPPROTO_RAW), 'raw socket');
  if (v6) check(libc.setIntOption(fd, IPPROTO_IPV6, IPV6_HDRINCL, 1), 'IPV6_HDRINCL');
  check(libc.setIntOption(fd, libc.SOL_SOCKET, SO_BROADCAST, 1), 'SO_BROADCAST');
  return fd;
}

/** Sends one packet; false if the kernel refuses it. A rule that drops it says EPERM, which is no refusal. */
export function sendRaw(fd: number, v6: boolean, bytes: Uint8Array): boolean {
  const to = new Uint8Array(v6 ? 28 : 16);
  to[0] = v6 ? AF_INET6 : AF_INET;
  if (v6) to.set(bytes.subarray(24, 40), 8);
  else to.set(bytes.subarray(16, 20), 4);
  if (cSendto(fd, bytes, bytes.length, 0, to, to.length) >= 0) return true;
  return libc.lastErrno() === libc.EPERM;
}

const lineBuffer = new Uint8Array(8192);
const decoder = new TextDecoder('latin1');

/** Reads what the kernel logs from now on (/dev/kmsg). */
export class KernelLog {
  private readonly fd: number;

  constructor() {
    this.fd = check(libc.open('/dev/kmsg', libc.O_NONBLOCK), '/dev/kmsg');
    this.skip();
  }

  /** Forgets what is there. */
  skip(): void {
    cSeek(this.fd, 0, SEEK_END);
  }

  /** Lines of rules since the last call, `<level>` in front, as `dmesg -r` gives them. */
  read(): string[] {
    const lines: string[] = [];
    for (;;) {
      const length = cRead(this.fd, lineBuffer, lineBuffer.length);
      if (length < 0) {
        if (libc.lastErrno() === libc.EAGAIN) return lines;
        throw new Error(`/dev/kmsg: ${libc.errnoName(libc.lastErrno())}, lines were lost`);
      }
      // "level,sequence,time,flags;text\n SUBSYSTEM=…\n"
      const text = decoder.decode(lineBuffer.subarray(0, length));
      const at = text.indexOf(';');
      const line = text.slice(at + 1, text.indexOf('\n', at));
      if (/IN=\S* OUT=\S* /.test(line))
        lines.push(`<${Number.parseInt(text, 10) & 7}>${withoutEscapes(line)}`);
    }
  }
}

/** /dev/kmsg writes what is not printable as \xHH. */
function withoutEscapes(line: string): string {
  return line.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** One namespace at a time may cause lines in the kernel's log: it belongs to the machine. */
export class LogLock {
  private readonly fd: number;

  constructor() {
    this.fd = check(cOpenNew('/tmp/keepstate-kmsg.lock', O_CREAT_RDWR, 0o666), '/tmp/keepstate-kmsg.lock');
  }

  /** Waits until nobody else holds it. */
  take(): void {
    cFlock(this.fd, LOCK_EX);
  }

  give(): void {
    cFlock(this.fd, LOCK_UN);
  }
}

const nftables = koffi.load('libnftables.so.1');
const nftNew = nftables.func('void *nft_ctx_new(uint flags)');
const nftBufferOut = nftables.func('int nft_ctx_buffer_output(void *ctx)');
const nftBufferErr = nftables.func('int nft_ctx_buffer_error(void *ctx)');
const nftRun = nftables.func('int nft_run_cmd_from_buffer(void *ctx, const char *text)');
const nftOut = nftables.func('const char *nft_ctx_get_output_buffer(void *ctx)');
const nftErr = nftables.func('const char *nft_ctx_get_error_buffer(void *ctx)');
const nftFree = nftables.func('void nft_ctx_free(void *ctx)');

/**
 * libnftables in this process, for the oracle's own tables: a table with an owner lives as long as the owner's socket.
 * Belongs to the namespace it was made in. It aborts on some rulesets, so others' are given to the real `nft`.
 */
export class LibNft {
  private readonly ctx: unknown = nftNew(0);

  constructor() {
    nftBufferOut(this.ctx);
    nftBufferErr(this.ctx);
  }

  /** Runs commands, as `nft -f` would. */
  run(text: string): { status: number; stdout: string; stderr: string } {
    const status = nftRun(this.ctx, text) as number;
    return { status: status === 0 ? 0 : 1, stdout: nftOut(this.ctx), stderr: nftErr(this.ctx) };
  }

  close(): void {
    nftFree(this.ctx);
  }
}
