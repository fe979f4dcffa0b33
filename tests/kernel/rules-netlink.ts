/** What the ruleset oracle asks nf_tables itself, since libnftables 1.0.6 aborts on some rulesets. */
import { eachAttribute, message, NetlinkSocket, NLM_F_ACK, NLM_F_DUMP } from './netlink.ts';

const NFNL_SUBSYS_NONE = 0;
const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;
const NFT_MSG_GETTABLE = 1;
const NFT_MSG_DELTABLE = 2;
const NFTA_TABLE_NAME = 1;

const FAMILIES: Readonly<Record<number, string>> = {
  1: 'inet',
  2: 'ip',
  3: 'arp',
  5: 'netdev',
  7: 'bridge',
  10: 'ip6',
};

/** nf_tables of the namespace it was made in. */
export class Tables {
  private readonly socket: NetlinkSocket = new NetlinkSocket();

  /** `flush ruleset`; tables with another owner stay. */
  flush(): void {
    const edge = (type: number): Buffer => message(NFNL_SUBSYS_NONE, type, 0, 0, NFNL_SUBSYS_NFTABLES);
    const del = message(NFNL_SUBSYS_NFTABLES, NFT_MSG_DELTABLE, NLM_F_ACK, 0, 0);
    this.socket.transact([edge(NFNL_MSG_BATCH_BEGIN), del, edge(NFNL_MSG_BATCH_END)], 1, 'flush ruleset');
  }

  /** Family and name of each table but the oracle's own. */
  names(): [string, string][] {
    const names: [string, string][] = [];
    const get = message(NFNL_SUBSYS_NFTABLES, NFT_MSG_GETTABLE, NLM_F_DUMP, 0, 0);
    this.socket.dump(get, 'list tables', ({ buffer, family, from, to }) => {
      eachAttribute(buffer, from, to, (type, at, end) => {
        if (type !== NFTA_TABLE_NAME) return;
        const name = buffer.toString('latin1', at, end - 1);
        if (!name.startsWith('ks_')) names.push([FAMILIES[family]!, name]);
      });
    });
    return names;
  }

  close(): void {
    this.socket.close();
  }
}
