/** libc and libnftables calls that only the ruleset oracle needs, through koffi. Linux, little endian. */
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');

function declare<F extends (...args: never[]) => number>(prototype: string): F {
  return libc.func(prototype) as unknown as F;
}

const cSocket = declare<(family: number, type: number, protocol: number) => number>(
  'int socket(int family, int type, int protocol)',
);
const cSendto = declare<
  (fd: number, from: Uint8Array, length: number, flags: number, to: Uint8Array, toLength: number) => number
>('int sendto(int fd, void *from, size_t length, int flags, void *to, uint toLength)');
const cOpen = declare<(path: string, flags: number) => number>('int open(const char *path, int flags)');
const cSeek = declare<(fd: number, offset: number, whence: number) => number>(
  'long lseek(int fd, long offset, int whence)',
);
const cRead = declare<(fd: number, into: Uint8Array, length: number) => number>(
  'int read(int fd, void *into, size_t length)',
);
const cSetsockopt = declare<
  (fd: number, level: number, name: number, value: Uint8Array, length: number) => number
>('int setsockopt(int fd, int level, int name, void *value, uint length)');

const cFlock = declare<(fd: number, operation: number) => number>('int flock(int fd, int operation)');
const cOpenNew = declare<(path: string, flags: number, mode: number) => number>(
  'int open(const char *path, int flags, int mode)',
);

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x80000;
const IPPROTO_RAW = 255;
const IPPROTO_IPV6 = 41;
const IPV6_HDRINCL = 36;
const SOL_SOCKET = 1;
const SO_BROADCAST = 6;
const O_NONBLOCK = 0x800;
const SEEK_END = 2;
const O_CREAT_RDWR = 0x42;
const LOCK_EX = 2;
const LOCK_UN = 8;

/** A raw socket that sends whole IP packets from this host. */
export function rawSocket(v6: boolean): number {
  const fd = cSocket(v6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
  if (fd < 0) throw new Error(`raw socket: errno ${koffi.errno()}`);
  if (v6 && cSetsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, Uint8Array.of(1, 0, 0, 0), 4) < 0)
    throw new Error(`IPV6_HDRINCL: errno ${koffi.errno()}`);
  if (cSetsockopt(fd, SOL_SOCKET, SO_BROADCAST, Uint8Array.of(1, 0, 0, 0), 4) < 0)
    throw new Error(`SO_BROADCAST: errno ${koffi.errno()}`);
  return fd;
}

/** Sends one packet; false if the kernel refuses it. A rule that drops it says EPERM, which is no refusal. */
export function sendRaw(fd: number, v6: boolean, bytes: Uint8Array): boolean {
  const to = new Uint8Array(v6 ? 28 : 16);
  to[0] = v6 ? AF_INET6 : AF_INET;
  if (v6) to.set(bytes.subarray(24, 40), 8);
  else to.set(bytes.subarray(16, 20), 4);
  if (cSendto(fd, bytes, bytes.length, 0, to, to.length) >= 0) return true;
  return koffi.errno() === koffi.os.errno.EPERM;
}

const lineBuffer = new Uint8Array(8192);
const decoder = new TextDecoder('latin1');

/** Reads what the kernel logs from now on (/dev/kmsg). */
export class KernelLog {
  private readonly fd: number;

  constructor() {
    this.fd = cOpen('/dev/kmsg', O_NONBLOCK);
    if (this.fd < 0) throw new Error(`/dev/kmsg: errno ${koffi.errno()}`);
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
        if (koffi.errno() === koffi.os.errno.EAGAIN) return lines;
        throw new Error(`/dev/kmsg: errno ${koffi.errno()}, lines were lost`);
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
    this.fd = cOpenNew('/tmp/keepstate-kmsg.lock', O_CREAT_RDWR, 0o666);
    if (this.fd < 0) throw new Error(`/tmp/keepstate-kmsg.lock: errno ${koffi.errno()}`);
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
