import { ipv4Text, ipv6Text, type NatEnd } from '@keepstate/engine';

/** The address of one end of a flow, canonical text. */
export function endAddress({ address }: NatEnd): string {
  if (address.length === 1) return ipv4Text(address[0]!);
  return ipv6Text(address[0]!, address[1]!, address[2]!, address[3]!);
}

/** `192.0.2.1:1000`, `[2001:db8::1]:1000`; without a port where there is none. */
export function endText(end: NatEnd): string {
  const address = endAddress(end);
  if (end.port === 0) return address;
  return end.address.length === 1 ? `${address}:${end.port}` : `[${address}]:${end.port}`;
}
