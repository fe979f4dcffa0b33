/* Accepts every packet of NFQUEUE 0, one system call to receive it and one for the verdict, as most such programs do. */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char in[1 << 17];

struct message {
    struct nlmsghdr head;
    struct nfgenmsg family;
    struct nlattr attribute;
    char value[12];
};

/* Sends a message for queue 0 with one attribute. */
static void tell(int fd, int type, int kind, const void *value, int length)
{
    struct message m;
    memset(&m, 0, sizeof m);
    m.attribute.nla_len = NLA_HDRLEN + length;
    m.attribute.nla_type = kind;
    memcpy(m.value, value, length);
    m.head.nlmsg_len = NLMSG_LENGTH(sizeof m.family) + NLA_ALIGN(m.attribute.nla_len);
    m.head.nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | type;
    m.head.nlmsg_flags = NLM_F_REQUEST;
    if (send(fd, &m, m.head.nlmsg_len, 0) < 0) {
        perror("send");
        exit(1);
    }
}

int main(void)
{
    int size = 8 << 20;
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
    struct nfqnl_msg_config_cmd bind = { NFQNL_CFG_CMD_BIND, 0, htons(AF_INET) };
    struct nfqnl_msg_config_params copy = { htonl(0xffff), NFQNL_COPY_PACKET };
    uint32_t depth = htonl(4096);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    tell(fd, NFQNL_MSG_CONFIG, NFQA_CFG_CMD, &bind, sizeof bind);
    tell(fd, NFQNL_MSG_CONFIG, NFQA_CFG_PARAMS, &copy, sizeof copy);
    tell(fd, NFQNL_MSG_CONFIG, NFQA_CFG_QUEUE_MAXLEN, &depth, sizeof depth);
    puts("ready");
    fflush(stdout);
    for (;;) {
        int length = recv(fd, in, sizeof in, 0);
        struct nlmsghdr *head = (struct nlmsghdr *)in;
        if (length < 0 || head->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET))
            continue;
        for (char *at = in + NLMSG_LENGTH(sizeof(struct nfgenmsg)); at < in + length;) {
            struct nlattr *attribute = (struct nlattr *)at;
            if (attribute->nla_type == NFQA_PACKET_HDR) {
                struct nfqnl_msg_packet_hdr *packet = (void *)(at + NLA_HDRLEN);
                struct nfqnl_msg_verdict_hdr verdict = { htonl(NF_ACCEPT), packet->packet_id };
                tell(fd, NFQNL_MSG_VERDICT, NFQA_VERDICT_HDR, &verdict, sizeof verdict);
                break;
            }
            at += NLA_ALIGN(attribute->nla_len);
        }
    }
}
