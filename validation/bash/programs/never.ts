import { deny, plus } from '../notes.js';
import { type ProgramRule, type ProgramTable } from '../program-rule.js';

const refuse = (rule: string, reason: string, remedy: string): ProgramRule => {
  const objection = deny(rule, reason, remedy);
  return { judgeWords: (_words, call) => call.object(call.position, objection) };
};
const doubt = (rule: string, reason: string, remedy: string): ProgramRule => {
  const objection = plus(rule, reason, remedy);
  return { judgeWords: (_words, call) => call.object(call.position, objection) };
};
const all = (names: string, rule: ProgramRule): ProgramTable => Object.fromEntries(names.split(' ').map((name) => [name, rule]));

const person = 'Leave it to a person at the machine.';

/** Programs that no script of a remediation needs. They would be unknown without this; this says why nobody can approve them. */
export const never: ProgramTable = {
  ...all('mkfs mke2fs mkswap wipefs fdisk sfdisk parted gdisk sgdisk cryptsetup lvremove vgremove pvremove lvreduce zpool mdadm blkdiscard hdparm badblocks', refuse('destroys', 'it destroys what a disk holds, or can', person)),
  ...all('reboot shutdown poweroff halt init telinit kexec', refuse('power', 'it takes the whole host away', person)),
  ...all('insmod modprobe rmmod depmod kmod', refuse('kernel', 'it changes what the kernel runs', person)),
  ...all('useradd userdel usermod adduser deluser groupadd groupdel groupmod passwd chpasswd chage vipw vigr visudo newusers gpasswd su doas pkexec runuser newgrp sg', refuse('accounts', 'it changes who may do what on the host, or becomes somebody else', person)),
  ...all('crontab at batch atq atrm systemd-run anacron', refuse('schedule', 'it leaves something behind that runs later', 'Do it now, in this step.')),
  ...all('chroot nsenter unshare bwrap firejail proot fakechroot capsh setpriv', refuse('namespace', 'it leaves the place that is approved for another', 'Run the command where it is.')),
  ...all('gdb strace ltrace perf bpftrace gcore rlwrap script expect screen tmux', refuse('debugger', 'it looks into other programs, or drives them', person)),
  ...all('socat telnet ftp tftp sftp scp rlogin rsh ssh sshpass autossh mosh sshfs ssh-copy-id ssh-keygen ssh-add ssh-agent', refuse('elsewhere', 'it does things on another host, or opens a way to one', 'Write a step for that target.')),
  ...all('vim vi nano emacs ed ex view nvim less more most man pg pico joe', refuse('interactive', 'it waits for what a person types, and can start other programs', 'Use cat, sed or a patch.')),
  ...all('nft ufw firewall-cmd iptables-restore ip6tables-restore iptables-save ebtables tc brctl ovs-vsctl nmcli netplan dhclient wg', doubt('network', 'it changes who can reach whom', 'Let two people look at it.')),
  ...all('setenforce aa-disable aa-complain auditctl semanage apparmor_parser', refuse('protection', 'it takes away what protects the host', person)),
  ...all('swapoff umount', doubt('memory', 'what is in use there is lost or in the way', 'Let two people look at it.')),
  ...all('gcc cc g++ make cmake ld as go rustc cargo tsc javac', refuse('build', 'it makes new programs, or runs what a file of rules says', 'Use what is installed.')),
  ...all('vault op doppler pass gpg gpg2 keytool', doubt('secret', 'it shows or changes secrets', 'Let two people look at it.')),
  ...all('curlftpfs rclone restic borg velero gh circleci gitlab-runner nats', doubt('unknownProgram', 'no rule inspects what it is told', 'Let two people look at it.')),
};
