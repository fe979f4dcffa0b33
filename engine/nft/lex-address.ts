const IPV4 = /(?:\d{1,3}\.){3}\d{1,3}/y;
const MAC = /(?:[0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}/y;
/** Only before these characters, as the real tool; else `22:drop` would begin with one. */
const CLASS = /[0-9a-fA-F]{1,4}:[0-9a-fA-F]{1,4}(?=[ \t\n:},-])/y;
/** What an IPv6 address can be made of. No address is longer than eight groups with an IPv4 one behind. */
const IPV6_RUN = /[0-9a-fA-F:.]{2,48}/y;
const GROUP = /^[0-9a-fA-F]{1,4}$/;
const IPV4_WHOLE = /^(?:\d{1,3}\.){3}\d{1,3}$/;

/** Number of 16-bit groups of one side of `::`, or -1 if it is none. An IPv4 address at the end counts as two. */
function groups(side: string, mayEndInIpv4: boolean): number {
  if (side === '') {
    return 0;
  }
  const parts = side.split(':');
  let count = 0;
  for (const [i, part] of parts.entries()) {
    if (GROUP.test(part)) {
      count++;
    } else if (mayEndInIpv4 && i === parts.length - 1 && IPV4_WHOLE.test(part)) {
      count += 2;
    } else {
      return -1;
    }
  }
  return count;
}

/** True for an IPv6 address in any of its textual forms (RFC 4291, 2.2). */
function isIpv6(text: string): boolean {
  const gap = text.indexOf('::');
  if (gap < 0) {
    return groups(text, true) === 8;
  }
  const before = groups(text.slice(0, gap), false);
  const after = groups(text.slice(gap + 2), true);
  return before >= 0 && after >= 0 && before + after <= 7;
}

/** Length of the longest IPv6 address that begins at `i`, 0 for none. */
function ipv6Length(text: string, i: number): number {
  IPV6_RUN.lastIndex = i;
  const run = IPV6_RUN.exec(text)?.[0] ?? '';
  for (let len = run.length; len >= 2; len--) {
    if (isIpv6(run.slice(0, len))) {
      return len;
    }
  }
  return 0;
}

function isHexDigit(c: number): boolean {
  return (c >= 48 && c <= 57) || (c >= 97 && c <= 102) || (c >= 65 && c <= 70);
}

function stickyLength(re: RegExp, text: string, i: number): number {
  re.lastIndex = i;
  return re.test(text) ? re.lastIndex - i : 0;
}

/**
 * Length of the longest address that begins at `i`: IPv4, IPv6 (also in square brackets), Ethernet, or a class
 * handle (`1:2`); 0 for none. Of most words the first letters say no.
 */
export function longestAddress(text: string, i: number): number {
  let end = i;
  while (end < i + 4 && isHexDigit(text.charCodeAt(end))) {
    end++;
  }
  const c = text[end];
  if (c === '.') {
    return stickyLength(IPV4, text, i);
  }
  if (c === ':' && end === i) {
    return text[i + 1] === ':' ? ipv6Length(text, i) : 0;
  }
  if (c === ':') {
    return Math.max(stickyLength(MAC, text, i), stickyLength(CLASS, text, i), ipv6Length(text, i));
  }
  if (c !== '[' || end > i) {
    return 0;
  }
  const len = ipv6Length(text, i + 1);
  return len > 0 && text[i + 1 + len] === ']' ? len + 2 : 0;
}
