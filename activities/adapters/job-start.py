"""The first act of a container: to ask Sluice whether it is the one that runs. Only then it runs the script, within its limits.

Python's standard library only: this runs in whatever image a target names. Each line that the script prints is told with its number,
so that whoever reads the log once more knows which lines it has.
"""
import http.client
import json
import os
import resource
import select
import signal
import subprocess
import time
import urllib.error
import urllib.request
import uuid

FOLDER = '/sluice'
CLAIM_WITHIN_S = 60
LOOK_EVERY_S = 0.1
MAX_ANSWER_BYTES = 1 << 16
MAX_LINE_BYTES = 1 << 20
REFUSED, TIMED_OUT, STOPPED = 120, 124, 143


def end(code, words='', lines=0):
    """Ends the container, and with it every process in it."""
    try:
        with open('/dev/termination-log', 'w') as log:
            json.dump({'lines': lines, 'words': words[:1000]}, log)
    except OSError:
        pass
    os._exit(code)


def claim(url, token, key):
    """Asks until there is an answer. A lost answer is asked for again under the same name, and is the same."""
    pod = os.uname().nodename
    request = urllib.request.Request(url, method='POST', data=json.dumps({'pod': pod}).encode())
    request.add_header('content-type', 'application/json')
    request.add_header('authorization', 'Bearer ' + token)
    request.add_header('idempotency-key', str(uuid.uuid4()))
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + CLAIM_WITHIN_S
    while True:
        try:
            with direct.open(request, timeout=10) as answer:
                status, text = answer.status, answer.read(MAX_ANSWER_BYTES)
            if status == 200 and lets_run(text, key, pod):
                return
            end(REFUSED, 'what answers at %s with %d is not Sluice' % (url, status))
        except urllib.error.HTTPError as error:
            if error.code < 500:
                end(REFUSED, tell(error))
            trouble = 'answers %d' % error.code
        except (OSError, ValueError, http.client.HTTPException) as error:
            trouble = str(error)
        if time.monotonic() > deadline:
            end(REFUSED, 'Sluice cannot be asked at %s: %s' % (url, trouble))
        time.sleep(1)


def lets_run(text, key, pod):
    """An ingress or a portal on the way answers 200, too, and does not know who asked."""
    try:
        answer = json.loads(text)
        return answer['key'] == key and answer['pod'] == pod
    except (ValueError, TypeError, KeyError):
        return False


def tell(error):
    try:
        return json.load(error)['detail']
    except Exception:
        return 'Sluice answered the claim with %d' % error.code


class Output:
    """Prints what the script prints, each line after its number, up to a number of bytes."""

    def __init__(self, limit):
        self.limit = self.left = limit
        self.lines = 0
        # None between two lines.
        self.in_line = None

    def take(self, chunk):
        told = []
        for part in split(chunk):
            if self.left <= 0:
                break
            if self.in_line is None:
                self.lines += 1
                self.in_line = 0
                told.append(b'%d ' % self.lines)
            text = part.rstrip(b'\n')[:max(0, min(MAX_LINE_BYTES - self.in_line, self.left))]
            told.append(text)
            self.in_line += len(text)
            self.left -= len(text)
            if part.endswith(b'\n') or self.left <= 0:
                told.append(b'\n')
                self.left -= 1
                self.in_line = None
            if self.left <= 0:
                self.lines += 1
                told.append(b'%d (what it printed beyond %d bytes was not kept)\n' % (self.lines, self.limit))
        write(b''.join(told))

    def end(self):
        if self.in_line is not None:
            write(b'\n')


def split(chunk):
    """At line feeds only."""
    parts = [part + b'\n' for part in chunk.split(b'\n')]
    last = parts.pop()[:-1]
    return parts + [last] if last else parts


def write(text):
    while text:
        text = text[os.write(1, text):]


def kill_all():
    """Every other process of the container: this is its first."""
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        pass


def reap(child):
    """The status of the script, once it has ended; what was left to this process by others is buried on the way."""
    status = None
    while True:
        try:
            pid, ended = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status
        if pid == 0:
            return status
        if pid == child:
            status = ended


def ran_out_of_memory():
    for path in ('/sys/fs/cgroup/memory.events', '/sys/fs/cgroup/memory/memory.oom_control'):
        try:
            with open(path) as lines:
                if any(line.split()[0] == 'oom_kill' and line.split()[1] != '0' for line in lines):
                    return True
        except (OSError, IndexError):
            pass
    return False


def run(spec):
    def limit():
        # This process and the script itself are two of them; the user is nobody else's.
        resource.setrlimit(resource.RLIMIT_NPROC, (spec['processes'] + 2,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    command = ['bash'] if spec['type'] == 'bash' else ['python3', '-u']
    command += [FOLDER + '/script'] + spec['arguments']
    try:
        script = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd='/tmp', preexec_fn=limit, start_new_session=True)
    except OSError as error:
        end(127, 'the image has no %s: %s' % (command[0], error))
    source = script.stdout.fileno()
    deadline = time.monotonic() + spec['timeoutMs'] / 1000
    output = Output(spec['outputBytes'])
    status, timed_out, is_open = None, False, True
    while status is None or is_open:
        readable = select.select([source] if is_open else [], [], [], LOOK_EVERY_S)[0]
        if readable:
            chunk = os.read(source, 65536)
            is_open = chunk != b''
            output.take(chunk)
        if status is None:
            status = reap(script.pid)
            if status is not None:
                # What it left running would hold its output open.
                kill_all()
        if status is None and time.monotonic() > deadline:
            timed_out = True
            kill_all()
    output.end()
    if timed_out:
        end(TIMED_OUT, 'it was stopped at its time limit of %g s' % (spec['timeoutMs'] / 1000), output.lines)
    code = os.waitstatus_to_exitcode(status)
    if code != 0 and ran_out_of_memory():
        end(137, 'it needed more memory than its limit', output.lines)
    end(code if code >= 0 else 128 - code, lines=output.lines)


signal.signal(signal.SIGTERM, lambda *_: end(STOPPED, 'it was stopped'))
with open(FOLDER + '/spec.json') as file:
    given = json.load(file)
claim(given['url'], given['token'], given['key'])
run(given)
