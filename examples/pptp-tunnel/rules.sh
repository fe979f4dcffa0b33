#!/bin/sh
iptables -t raw -A PREROUTING -p tcp --dport 1723 -j CT --helper pptp
iptables -P FORWARD DROP
iptables -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables -A FORWARD -i lan0 -m conntrack --ctstate NEW -j ACCEPT
iptables -t nat -A POSTROUTING -o wan0 -j MASQUERADE
