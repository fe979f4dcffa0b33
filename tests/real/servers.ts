// The servers, each on the server's addresses, with its whole configuration in the network's folder.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import type { Host, HostRunOptions, Network } from './network.ts';
import { SERVER4, SERVER6 } from './network.ts';
import { type Program, runHere } from './process.ts';

/** The web server's name in the DNS server's zone. */
export const WEB_NAME = 'www.example.net';
/** The same server without an IPv6 address. */
export const WEB_NAME4 = 'example.net';
/** Size in bytes of `/big.bin` on the web server, and of `big.bin` on the FTP server. */
export const BIG = 1_000_000;

/** Bytes that look the same in every run, and that no layer would compress away. */
function filler(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0, x = 1; i < length; i++) {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0;
    bytes[i] = x >>> 16;
  }
  return bytes;
}

/** nginx on port 80: `/` (a small page), `/1.txt` … `/4.txt`, `/big.bin`, POST `/upload`. */
export function startNginx(network: Network, host: Host = 'server'): Promise<Program> {
  const folder = network.path('nginx');
  const pages = `${folder}/pages`;
  mkdirSync(pages, { recursive: true });
  writeFileSync(`${pages}/index.html`, '<!doctype html><title>example</title><p>It works.\n');
  for (let i = 1; i <= 4; i++) writeFileSync(`${pages}/${i}.txt`, `object ${i}\n`.repeat(100 * i));
  writeFileSync(`${pages}/big.bin`, filler(BIG));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `  ${kind}_temp_path ${folder}/${kind};`,
  );
  const configuration = `
daemon off; master_process off; user root; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 64; }
http {
${temporary.join('\n')}
  access_log off; default_type text/plain; keepalive_timeout 5s; client_max_body_size 4m;
  types { text/html html; }
  server {
    listen 80; listen [::]:80; root ${pages};
    location = /upload { return 204; }
  }
}
`;
  writeFileSync(`${folder}/conf`, configuration);
  const argv = ['nginx', '-c', `${folder}/conf`, '-p', folder, '-e', `${folder}/error.log`];
  return network.serve(host, argv, [
    { proto: 'tcp', port: 80 },
    { proto: 'tcp', port: 80, family: 6 },
  ]);
}

/** dnsmasq on port 53, answering for example.net alone; `long.example.net` has a text above 512 bytes. */
export function startDnsmasq(network: Network): Promise<Program> {
  writeFileSync(
    network.path('dnsmasq.conf'),
    [
      ...[
        'keep-in-foreground',
        'user=root',
        'pid-file=',
        'no-resolv',
        'no-hosts',
        'no-poll',
        'bind-interfaces',
      ],
      ...[
        `listen-address=${SERVER4}`,
        `listen-address=${SERVER6}`,
        'local=/example.net/',
        'log-facility=-',
        'edns-packet-max=4096',
      ],
      `host-record=${WEB_NAME},${SERVER4},${SERVER6}`,
      `host-record=${WEB_NAME4},${SERVER4}`,
      ...Array.from({ length: 8 }, (_, i) => `txt-record=long.example.net,${`${i}`.repeat(190)}`),
    ].join('\n'),
  );
  return network.serve(
    'server',
    ['dnsmasq', `--conf-file=${network.path('dnsmasq.conf')}`],
    [
      { proto: 'tcp', port: 53 },
      { proto: 'udp', port: 53 },
      { proto: 'udp', port: 53, family: 6 },
    ],
  );
}

/** Makes a program of the client ask our DNS server, by a resolv.conf laid over the one of /etc. */
export function resolverOf(network: Network): HostRunOptions {
  writeFileSync(network.path('resolv.conf'), `nameserver ${SERVER4}\n`);
  return { over: [['/etc/resolv.conf', network.path('resolv.conf')]] };
}

/** vsftpd on port 21, IPv4 and IPv6: anonymous, `hello.txt` and `big.bin` to fetch, uploads into `in/`. */
export function startVsftpd(network: Network): Promise<Program> {
  const folder = network.path('ftp');
  mkdirSync(`${folder}/root/in`, { recursive: true });
  mkdirSync(`${folder}/empty`);
  writeFileSync(`${folder}/root/hello.txt`, 'Hello over a connection of its own.\n');
  writeFileSync(`${folder}/root/big.bin`, filler(BIG));
  chmodSync(`${folder}/root/in`, 0o777);
  const settings = {
    listen: 'NO',
    listen_ipv6: 'YES', // IPv4 too
    background: 'NO',
    anonymous_enable: 'YES',
    local_enable: 'NO',
    no_anon_password: 'YES',
    anon_root: `${folder}/root`,
    ftp_username: 'nobody',
    nopriv_user: 'nobody',
    secure_chroot_dir: `${folder}/empty`,
    write_enable: 'YES',
    anon_upload_enable: 'YES',
    connect_from_port_20: 'YES',
    pasv_min_port: 40000,
    pasv_max_port: 40999,
    xferlog_enable: 'NO',
    seccomp_sandbox: 'NO', // its list of system calls is older than today's libc
    ftpd_banner: 'ready',
  };
  writeFileSync(
    `${folder}/conf`,
    `${Object.entries(settings)
      .map(([key, value]) => `${key}=${value}`)
      .join('\n')}\n`,
  );
  // vsftpd enters its user's home before anon_root, and that of nobody is nowhere.
  writeFileSync(`${folder}/passwd`, 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n');
  return network.serve('server', ['vsftpd', `${folder}/conf`], [{ proto: 'tcp', port: 21, family: 6 }], {
    over: [['/etc/passwd', `${folder}/passwd`]],
  });
}

/** iperf3's server on its port 5201, for one test after the other. */
export function startIperf(network: Network): Promise<Program> {
  return network.serve('server', ['iperf3', '-s'], [{ proto: 'tcp', port: 5201, family: 6 }]);
}

/** sshd on port 22 that lets root in by the key `ssh/key` of the network's folder. */
export async function startSshd(network: Network): Promise<Program> {
  const folder = network.path('ssh');
  mkdirSync(`${folder}/run/sshd`, { recursive: true });
  chmodSync(`${folder}/run/sshd`, 0o755);
  for (const key of ['host', 'key']) {
    await runHere(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', key, '-f', `${folder}/${key}`]);
  }
  await runHere(['cp', `${folder}/key.pub`, `${folder}/authorized`]);
  writeFileSync(
    `${folder}/conf`,
    [
      ...[`HostKey ${folder}/host`, `AuthorizedKeysFile ${folder}/authorized`, `PidFile ${folder}/pid`],
      ...['StrictModes no', 'UsePAM no', 'PasswordAuthentication no', 'KbdInteractiveAuthentication no'],
      ...['PermitRootLogin prohibit-password', 'UseDNS no', 'PrintMotd no', 'PrintLastLog no'],
    ].join('\n'),
  );
  // sshd without PAM refuses an account whose shadow entry is locked, as root's is in many images;
  // and it wants a folder in /run that only its init script makes.
  writeFileSync(`${folder}/shadow`, 'root:*:19000:0:99999:7:::\n', { mode: 0o600 });
  const over = [
    ['/etc/shadow', `${folder}/shadow`],
    ['/run', `${folder}/run`],
  ] as const;
  return network.serve('server', ['sshd', '-D', '-e', '-f', `${folder}/conf`], [{ proto: 'tcp', port: 22 }], {
    over,
  });
}
