import type { ScriptHost } from '../../harness/script-host.js';

/** A script that takes what it can. `bites` is how it is seen to have come to its limit, by the run's result or by what it printed. */
export interface Bomb {
  readonly name: string;
  readonly type: 'bash' | 'python';
  readonly script: string;
  readonly bites: RegExp;
}

const bash = (name: string, script: string, bites: RegExp): Bomb => ({ name, type: 'bash', script, bites });
const python = (name: string, script: string, bites: RegExp): Bomb => ({ name, type: 'python', script: `import os, sys, time, socket, threading, signal, fcntl, mmap\n${script}`, bites });
const late = /was not done in time/;
const hungry = /used more memory/;
const full = /wrote more below its paths/;
const crowded = /Resource temporarily unavailable|more processes|can't start new thread|EAGAIN/i;

/** Every way that we know to hurt a machine without leaving the sandbox. */
export const toBombs = ({ given }: ScriptHost): readonly Bomb[] => [
  bash('processes that make processes', ':(){ :|:& };:; sleep 60', crowded),
  python('processes that make processes, in Python', 'try:\n  while True: os.fork()\nexcept OSError as e:\n  print(e, flush=True)\ntime.sleep(60)', crowded),
  python('threads', 'try:\n  while True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\nexcept RuntimeError as e:\n  print(e, flush=True)\ntime.sleep(60)', crowded),
  python('zombies', 'try:\n  while True:\n    if os.fork() == 0: os._exit(0)\nexcept OSError as e:\n  print(e, flush=True)\ntime.sleep(60)', crowded),
  python('memory in one block', 'x = bytearray(1 << 31)\nfor i in range(0, len(x), 4096): x[i] = 1\ntime.sleep(60)', /used more memory|MemoryError|ended with 1\b/),
  bash('memory of a text that doubles', 'a=x; while :; do a=$a$a; done', /used more memory|cannot allocate|xrealloc|was not done in time/),
  python('memory in many processes', 'for _ in range(16):\n  if os.fork() == 0:\n    x = bytearray(40 << 20)\n    for i in range(0, len(x), 4096): x[i] = 1\n    time.sleep(60)\ntime.sleep(60)', hungry),
  python('memory that is shared', 'm = mmap.mmap(-1, 1 << 30)\nfor i in range(0, len(m), 4096): m[i] = 1\ntime.sleep(60)', /used more memory|Cannot allocate|ended with 1\b/),
  python('memory in pipes', 'kept = []\ntry:\n  while True:\n    r, w = os.pipe()\n    os.set_blocking(w, False)\n    try: fcntl.fcntl(w, 1031, 1 << 20)\n    except OSError: pass\n    try:\n      while True: os.write(w, b"x" * 65536)\n    except BlockingIOError: pass\nexcept OSError as e:\n  print(e, flush=True)\ntime.sleep(60)', /Too many open files|used more memory/),
  python('memory in sockets', 'kept = []\ntry:\n  while True:\n    a, b = socket.socketpair()\n    kept.append((a, b))\n    a.setblocking(False)\n    try:\n      while True: a.send(b"x" * 65536)\n    except BlockingIOError: pass\nexcept OSError as e:\n  print(e, flush=True)\ntime.sleep(60)', /Too many open files|used more memory/),
  bash('disk in /tmp', 'for i in $(seq 100); do head -c 4000000 /dev/zero >/tmp/$i || break; done; sleep 60', /No space left/),
  bash('disk in one file of its folder', `trap "" XFSZ; cat /dev/zero >${given}/big; sleep 60`, /File too large|wrote more/),
  bash('disk in many files of its folder', `i=0; while :; do i=$((i+1)); head -c 1000000 /dev/zero >${given}/$i; done`, full),
  python('a file with a hole', `f = open("${given}/hole", "wb")\ntry:\n  f.truncate(1 << 40)\nexcept OSError as e:\n  print(e, flush=True)\ntime.sleep(60)`, /File too large/),
  python('inodes in /tmp', 'i = 0\nwhile True:\n  i += 1\n  os.close(os.open(f"/tmp/{i}", os.O_CREAT))', /was not done in time|used more memory|No space left/),
  python('inodes in its folder', `i = 0\nwhile True:\n  i += 1\n  os.close(os.open(f"${given}/{i}", os.O_CREAT))`, /wrote more|was not done in time/),
  python('folders in folders', `os.chdir("${given}")\nwhile True:\n  os.mkdir("d" * 200)\n  os.chdir("d" * 200)`, /wrote more|was not done in time/),
  python('disk in files without a name', `kept = []\ni = 0\nwhile True:\n  i += 1\n  f = os.open("${given}/x", os.O_CREAT | os.O_WRONLY)\n  os.unlink("${given}/x")\n  os.write(f, bytes(4 << 20))\n  kept.append(f)`, full),
  python('disk below folders too deep to be named', `os.chdir("${given}")\nfor _ in range(30):\n  os.mkdir("d" * 200)\n  os.chdir("d" * 200)\ni = 0\nwhile True:\n  i += 1\n  open(f"{i}", "wb").write(bytes(4 << 20))`, full),
  python('disk in a folder that is shut', `os.mkdir("${given}/shut", 0o300)\ni = 0\nwhile True:\n  i += 1\n  open(f"${given}/shut/{i}", "wb").write(bytes(4 << 20))`, full),
  bash('output', 'while :; do yes; done', late),
  bash('output without a line', 'cat /dev/zero | tr "\\0" x >&2', late),
  python('processors', 'for _ in range(8):\n  if os.fork() == 0:\n    while True: pass\nwhile True: pass', late),
  bash('signals ignored', 'trap "" TERM INT HUP QUIT USR1 PIPE CHLD; while :; do sleep 1000; done', late),
  python('daemons', 'if os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0:\n    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\n    for fd in range(3): os.close(fd)\n    while True: time.sleep(1)\n  os._exit(0)\ntime.sleep(0.5)\nprint("gone", flush=True)', /gone/),
  bash('sessions of their own', 'for i in $(seq 12); do setsid nohup sleep 86400 >/dev/null 2>&1 & done; sleep 86400', late),
  python('descriptors', 'kept = []\ntry:\n  while True: kept.append(os.open("/dev/null", os.O_RDONLY))\nexcept OSError as e:\n  print(e, flush=True)\ntime.sleep(60)', /Too many open files/),
  bash('a script that stops itself', 'kill -STOP $$; sleep 60', late),
  python('a script that closes everything', 'for fd in range(64):\n  try: os.close(fd)\n  except OSError: pass\nwhile True: time.sleep(1)', late),
  bash('a sleep past its deadline', 'sleep 86400', late),
];
