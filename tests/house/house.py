"""The rules of the house that a machine can check. Usage: house.py CHECK [ROOT]

Every check is a function over a tree: path -> text. Before it looks at the real tree it must find the offences planted
below and must let the clean examples pass, so a check that has stopped working fails as loudly as an offence.
"""
import os
import re
import subprocess
import sys

SOURCE_ENDS = (".c", ".h", ".def", ".proto", ".py", ".sh", ".mjs", ".js", ".ts", ".css", ".html", ".cmake", "CMakeLists.txt")
C_ENDS = (".c", ".h", ".def")
LINES_MAX = 600
FUNCTION_LINES_MAX = 60
# path -> reason; an exception without a reason does not exist
SIZE_EXCEPTIONS = {}

# library header -> the files that may include it (the one home of a risky library, ARCHITECTURE section 0)
HOMES = {
    r"civetweb\.h": [r"control-plane/http/server\.c"],
    r"nng/.*": [r"common/link(_\w+)?\.c"],
    # secret.c gives the library its wiping allocator; upstream_internal.h is shared by upstream*.c only
    r"curl/.*": [r"data-plane/upstream(_\w+)?\.c", r"data-plane/upstream_internal\.h", r"common/http_client\.c",
                 r"common/secret\.c"],
    r"lmdb\.h": [r"control-plane/store/kv_lmdb\.c", r"data-plane/catalog_file\.c"],
}
# top-level folder -> what its sources may include in quotes
MAY_INCLUDE = {
    "common": ("common/", "proto/"),
    "control-plane": ("control-plane/", "common/", "proto/"),
    "data-plane": ("data-plane/", "common/", "proto/"),
    "tests": ("tests/", "control-plane/", "data-plane/", "common/", "proto/"),
}
GENERATED = ("admin_paths.def",)  # made by CMake in the build folder
BANNED = "strcpy strcat sprintf strtok gmtime localtime atoi strerror system popen alloca".split()
# where money and limits are decided or recorded
MONEY_PATHS = (r"common/(catalog_limits|limit|money|price)\w*\.\w+|control-plane/ledger/.*|"
               r"control-plane/(domain/pricing|api/(access_prices|limit|policies|prices|usage))\w*\.\w+|"
               r"data-plane/(limits|slots|courier/(grants|slot_event)|worker/(limit|pricing|step_reserve|step_settle|terms))\w*"
               r"\.\w+")
FLOATS = "double float strtod strtof atof pow floor ceil round lround llround".split()
LEFTOVERS = r"\b(TODO|FIXME|XXX|HACK|[Ff]or now|[Ss]tub(?:s|bed)?)\b"
README_EXEMPT = r"\.|tests/unit/|tests/fuzz/(corpus|seeds)|control-plane/catalog-data/models"
LEFTOVERS_EXEMPT = r"tests/house/house\.py|.*\.json|tests/fuzz/(corpus|seeds)/.*"


def read_tree(root):
    """All files of the checkout that git knows or would add; without git, all but what a build makes."""
    try:
        names = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"], check=True,
                               capture_output=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        names = []
        for folder, folders, files in os.walk(root):
            folders[:] = [f for f in folders if f not in ("build", "node_modules", ".git", "__pycache__", ".venv")]
            names += [os.path.relpath(os.path.join(folder, f), root) for f in files]
    tree = {}
    for name in names:
        path = os.path.join(root, name)
        if name and os.path.isfile(path) and not os.path.islink(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                tree[name] = file.read()
    return tree


def without_comments(text, strings=True):
    """C text with comments (and the inside of strings) blanked; line numbers stay."""
    def blank(match):
        piece = match.group(0)
        if piece.startswith("/"):
            return re.sub(r"[^\n]", " ", piece)
        return '""' if strings else piece
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def check_includes(tree):
    """data-plane -> common <- control-plane; common -> proto; nobody includes tests; a risky library has one home."""
    found = []
    for path, text in tree.items():
        top = path.split("/")[0]
        if not path.endswith(C_ENDS) or top not in MAY_INCLUDE:
            continue
        code = without_comments(text, strings=False)
        for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', code, re.M):
            where, name = f"{path}:{line_of(code, match.start())}", match.group(2)
            if match.group(1) == '"' and not name.startswith(MAY_INCLUDE[top]) and name not in GENERATED:
                found.append(f"{where}: {top} must not include \"{name}\"")
            if match.group(1) == "<" and name.startswith(tuple(f + "/" for f in MAY_INCLUDE)):
                found.append(f"{where}: <{name}> is ours: quotes")
            for header, homes in HOMES.items():
                if top != "tests" and re.fullmatch(header, name) and not any(re.fullmatch(h, path) for h in homes):
                    found.append(f"{where}: {name} has its home in {', '.join(homes)}")
    return found


def check_sizes(tree):
    """No source above 600 lines; no function above 60 (unit tests, which are mostly tables, apart)."""
    found = [f"SIZE_EXCEPTIONS: {path} is not needed" for path in SIZE_EXCEPTIONS
             if path not in tree or tree[path].count("\n") <= LINES_MAX]
    for path, text in tree.items():
        if not path.endswith(SOURCE_ENDS):
            continue
        lines = text.split("\n")
        if len(lines) - 1 > LINES_MAX and path not in SIZE_EXCEPTIONS:
            found.append(f"{path}: {len(lines) - 1} lines, {LINES_MAX} are allowed")
        start = None
        counts = path.endswith((".c", ".h")) and not path.startswith("tests/unit/")
        for number, line in enumerate(lines if counts else [], 1):
            if line == "{":
                start = number
            elif line == "}" and start is not None:
                if number - start - 1 > FUNCTION_LINES_MAX:
                    found.append(f"{path}:{start}: a function of {number - start - 1} lines, "
                                 f"{FUNCTION_LINES_MAX} are allowed")
                start = None
    return found


def check_banned(tree):
    """None of STYLE's banned functions is called, in product or test code."""
    found = []
    pattern = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")[ \t\n]*\(")
    for path, text in tree.items():
        if not path.endswith(C_ENDS):
            continue
        code = without_comments(text)
        for match in pattern.finditer(code):
            found.append(f"{path}:{line_of(code, match.start())}: {match.group(1)}() is banned (STYLE.md)")
    return found


def check_floats(tree):
    """No floating point where money or a limit is decided or recorded: nano-USD, pico-USD and __int128 only."""
    found = []
    types = re.compile(r"(?<![\w.>])(?:(" + "|".join(FLOATS[:2]) + r")\b|(" + "|".join(FLOATS[2:]) + r")[ \t\n]*\()"
                       r"|(?<![\w.])(\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+|\d+[eE][+-]?\d+)(?![\w.])")
    for path, text in tree.items():
        if not path.endswith(C_ENDS) or not re.fullmatch(MONEY_PATHS, path):
            continue
        code = re.sub(r'^([ \t]*#[ \t]*include)[^\n]*', r"\1", without_comments(text), flags=re.M)
        for match in types.finditer(code):
            found.append(f"{path}:{line_of(code, match.start())}: {match.group(0)}: no floating point here (ARCHITECTURE)")
    return found


def check_readmes(tree):
    """Every folder has a README.md with a title and a sentence; tests/unit mirrors the sources and needs one only."""
    folders = set()
    for path in tree:
        folder = os.path.dirname(path)
        while True:
            folders.add(folder)
            if not folder:
                break
            folder = os.path.dirname(folder)
    found = []
    for folder in sorted(folders):
        if re.match(README_EXEMPT, folder):
            continue
        readme = tree.get(os.path.join(folder, "README.md"))
        if readme is None:
            found.append(f"{folder or '.'}: no README.md")
        elif not readme.startswith("# ") or len(readme.split()) < 8:
            found.append(f"{folder or '.'}/README.md: needs a title and a sentence")
    return found


def check_leftovers(tree):
    """No sign of unfinished work."""
    return [f"{path}:{line_of(text, match.start())}: \"{match.group(1)}\"" for path, text in tree.items()
            if not re.fullmatch(LEFTOVERS_EXEMPT, path) for match in re.finditer(LEFTOVERS, text)]


def body(lines):
    return "int f(void)\n{\n" + "    ;\n" * lines + "}\n"


# check -> (offences: each file alone must be found, clean: none of it may be found)
PLANTED = {
    "includes": (check_includes, {
        "data-plane/a.c": '#include "control-plane/store/kv.h"\n',
        "data-plane/worker/b.c": '  #  include "control-plane/x.h"\n',
        "control-plane/a.c": '#include "data-plane/ipc.h"\n',
        "common/a.h": '#include "data-plane/ipc.h"\n',
        "common/b.c": '#include "control-plane/x.h"\n',
        "common/c.c": '#include "tests/sim/sim.h"\n',
        "control-plane/api/c.c": '#include "tests/sim/sim.h"\n',
        "common/d.c": '#include "str.h"\n',
        "common/e.c": '#include "../data-plane/ipc.h"\n',
        "common/f.c": '#include <data-plane/ipc.h>\n',
        "control-plane/http/reply.c": '#include <civetweb.h>\n',
        "control-plane/http/server.h": '#include <civetweb.h>\n',
        "data-plane/courier/feed.c": '#include <nng/nng.h>\n',
        "common/link.h": '#include <nng/nng.h>\n',
        "data-plane/worker/upstream.c": '#include <curl/curl.h>\n',
        "control-plane/cli/main.c": '#include <curl/curl.h>\n',
        "control-plane/store/writer.c": '#include <lmdb.h>\n',
        "data-plane/catalog_file.h": '#include <lmdb.h>\n',
    }, {
        "data-plane/ok.c": '#include "common/str.h"\n#include "data-plane/ipc.h"\n#include "proto/link.pb-c.h"\n#include <stdio.h>\n',
        "control-plane/ok.c": '#include "control-plane/x.h"\n#include "common/status.def"\n',
        "common/ok.c": '#include "common/str.h"\n/* #include "data-plane/ipc.h" */\n// #include <nng/nng.h>\n',
        "control-plane/http/server.c": '#include <civetweb.h>\n',
        "common/link.c": '#include <nng/nng.h>\n',
        "common/link_tls.c": '#include <nng/supplemental/tls/tls.h>\n',
        "data-plane/upstream.c": '#include <curl/curl.h>\n',
        "data-plane/upstream_pool.c": '#include <curl/curl.h>\n',
        "common/http_client.c": '#include <curl/curl.h>\n',
        "control-plane/store/kv_lmdb.c": '#include <lmdb.h>\n',
        "data-plane/catalog_file.c": '#include <lmdb.h>\n',
        "tests/unit/data-plane/ok_test.c": '#include "data-plane/ipc.h"\n#include "tests/sim/sim.h"\n',
    }),
    "sizes": (check_sizes, {
        "common/long.c": "int x;\n" * 601,
        "tests/e2e/long.py": "x = 1\n" * 601,
        "common/function.c": body(61),
    }, {
        "common/just.c": "int x;\n" * 600,
        "common/just_function.c": body(60) * 2,
        "tests/unit/common/table_test.c": body(200),
        "control-plane/catalog-data/models.json": "{}\n" * 9000,
    }),
    "banned": (check_banned, {
        f"common/{name}.c": f"int f(void)\n{{\n    return (int){name}(a, b);\n}}\n" for name in BANNED
    } | {"tests/unit/common/x_test.c": "    strcpy (a, b);\n", "common/macro.h": "#define M(a) atoi(a)\n"}, {
        "common/ok.c": '/* strcpy(a, b) */ snprintf(a, 1, "system(x)"); strtok_r(a); gmtime_r(a); my_system(a); '
                       "x.system(a); y->popen(a); // atoi(x)\n",
        "README.md": "strcpy(a, b)\n",
    }),
    "floats": (check_floats, {
        f"common/price_{name}.c": f"int f(void)\n{{\n    return (int){name}(a);\n}}\n" for name in FLOATS[2:]
    } | {
        "common/price.c": "double cost;\n", "common/money.h": "int64_t money(float usd);\n",
        "control-plane/ledger/rates.c": "static long double share;\n", "common/limit.def": "LIMIT(a, 1.5)\n",
        "control-plane/domain/pricing.c": "int64_t x = (int64_t)(1e9 * y);\n",
        "control-plane/api/limits.c": "x = y * .5;\n", "data-plane/worker/step_settle.c": "(double)tokens;\n",
    }, {
        "common/price.c": '/* a double row, 1.5 */ "1.5 float"; x.float_at; // 2e9\nint64_t doubled = 0x1e9 + 15; a[1].pow;\n',
        "common/price_row.c": '#include "a/1.5.h"\nround_up(x); LIMIT(1, 2, ...);\n',
        "control-plane/metrics/rates.c": "double rate = 1.5;\n",
    }),
    "readmes": (check_readmes, {
        "common/a.c": "", "deploy/systemd/x.service": "", "tests/fault/x.c": "",
        "empty/README.md": "# empty\n", "untitled/README.md": "words words words words words words words words words\n",
    }, {
        "README.md": "# A title\n\nAnd a sentence that says what this is for.\n",
        "tests/README.md": "# A title\n\nAnd a sentence that says what this is for.\n",
        "tests/unit/README.md": "# A title\n\nAnd a sentence that says what this is for.\n",
        "tests/unit/common/str_test.c": "", ".ci/run": "", ".clang-format": "",
    }),
    "leftovers": (check_leftovers, {
        "common/a.c": "/* TODO: later */", "common/b.c": "// FIXME", "README.md": "works for now\n",
        "deploy/x.sh": "# XXX\n", "control-plane/a.c": "/* a stub */", "tests/x.py": "# HACK\n", "data-plane/b.h": "/* stubs */",
    }, {
        "common/ok.c": 'char name[] = "/tmp/x-XXXXXX"; /* wait for now_ms; a stubborn hacker; size_t todo; */',
        "control-plane/catalog-data/x.json": '"TODO"',
    }),
}


def prove(name, check, offences, clean):
    """The check finds each planted offence and nothing else. Gives the number of offences planted."""
    base = dict(clean)
    wrong = check(base)
    if wrong:
        sys.exit(f"house.{name}: the check itself is wrong, clean examples were flagged: {wrong}")
    for path, text in offences.items():
        if not any(line.startswith((path, os.path.dirname(path))) for line in check({**base, path: text})):
            sys.exit(f"house.{name}: the check itself is wrong, a planted offence was not found: {path}")
    return len(offences)


def main():
    name, root = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "."
    check, offences, clean = PLANTED[name]
    planted = prove(name, check, offences, clean)
    tree = read_tree(root)
    if len(tree) < 10:
        sys.exit(f"house.{name}: only {len(tree)} files found under {root}")
    found = check(tree)
    print(f"house.{name}: {check.__doc__}")
    print(f"{planted} planted offences found; {len(tree)} files looked at; {len(found)} offences")
    for line in found:
        print("  " + line)
    sys.exit(1 if found else 0)


main()
