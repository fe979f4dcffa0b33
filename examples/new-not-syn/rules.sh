#!/bin/sh
# A web server that takes nothing for a new connection but a SYN.
iptables -P INPUT DROP
iptables -A INPUT -p tcp ! --syn -m state --state NEW -j DROP
iptables -A INPUT -p tcp --dport 80 -m state --state NEW,ESTABLISHED -j ACCEPT
