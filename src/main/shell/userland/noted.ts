/** Commands a real node has that this lab recognises and does not model: they say so instead of inventing output. */

const NOTED = new Set(
  (
    "apt apt-get aptitude dpkg apt-cache apt-mark pveceph ceph rbd rados vzdump qmrestore pvesubscription pveupgrade pveupdate " +
    "pvesm pvesh pveum pvenode pveproxy pvedaemon pvestatd pvebanner pveperf pveversion pvereport pve-firewall ha-manager qm pct lxc-ls pmxcfs " +
    "pvesr proxmox-boot-tool pve-efiboot-tool corosync corosync-blackbox corosync-qdevice corosync-qnetd corosync-qnetd-certutil corosync-qdevice-net-certutil corosync-notifyd corosync-xmlproc corosync-vqsim crm_mon " +
    "top htop iostat vmstat sar iftop iotop nethogs smartctl dmesg lsmod modprobe rmmod mount umount lsblk blkid fdisk parted zpool zfs lvs vgs pvs lvcreate mdadm " +
    "ip ifconfig ifup ifdown ifreload ethtool brctl bridge route arp ss netstat tcpdump traceroute mtr iperf iperf3 nmap nc dig nslookup host curl wget telnet " +
    "iptables ip6tables nft ebtables tc ssh scp sftp rsync ssh-copy-id ssh-keygen ssh-keyscan openssl " +
    "hostnamectl timedatectl chronyc ntpq ntpdate hwclock loginctl networkctl resolvectl busctl systemd-analyze service update-rc.d crontab at " +
    "reboot poweroff shutdown halt init pidof pgrep pkill killall ps free df du lscpu lspci lsusb lsof fuser strace gdb who w last users passwd useradd usermod userdel groupadd su sudo " +
    "nano vi vim ed emacs tmux screen man git python3 python perl ruby node gcc make tar gzip gunzip zcat bzip2 xz zip unzip dd ipmitool virsh kvm qemu-img stress stress-ng"
  ).split(" "),
);

export function isNoted(name: string): boolean {
  return NOTED.has(name);
}
