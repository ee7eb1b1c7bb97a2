# Git: init, commits, branches, merge, local clone, push and fetch, gc, fsck, archive.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD
export GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat GIT_EDITOR=true
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_AUTHOR_DATE='1000000000 +0000'
export GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@example.org GIT_COMMITTER_DATE='1000000000 +0000'
command -v git > /dev/null || { echo "SKIP: git is not installed"; exit 0; }
git config --global init.defaultBranch main
git config --global advice.detachedHead false
git config --global gc.auto 0

echo "== commits"
git init -q project; cd project
for ((i = 1; i <= 300; i++)); do
  mkdir -p "d$((i % 17))"
  seq "$i" $((i * 3)) > "d$((i % 17))/file$i"
done
git add .; git commit -qm "First"; git tag first; git rev-parse HEAD
for ((i = 1; i <= 20; i++)); do
  echo "change $i" >> d1/file1; git commit -qam "Change $i"
done
git rev-parse HEAD; git log --oneline | head -n 3; git status --short | wc -l
chmod +x d2/file2; ln -s file3 d3/link; echo untracked > untracked; rm d4/file4
git status --short
git diff --stat
git stash -q; git status --short; git stash pop -q; git checkout -q -- d4/file4
git add -A; git commit -qm "Mode, link and file"; git ls-files -s d3/link d2/file2

echo "== branches"
git checkout -qb topic HEAD~5; echo topic > topic; git add topic; git commit -qm Topic
git checkout -q main; git merge -q --no-edit topic; git log --oneline --graph | head -n 4
git checkout -qb conflict HEAD~1; echo conflict > topic; git add topic; git commit -qm Conflict
git merge main > /dev/null 2>&1 || git status --short
git checkout -q --theirs -- topic; git add topic; git commit -qm Resolved; git rev-parse HEAD
git checkout -q main; git rebase -q topic 2>&1; git rev-parse HEAD
git tag -a v1 -m "Version 1"; git describe; git blame -s d1/file1 | tail -n 2
git grep -c 299 | head -n 3

echo "== clone, push, fetch"
cd ..
git clone -q project hardlinked; git -C hardlinked rev-parse HEAD
git clone -q --no-local project copied; git -C copied fsck --full
git clone -q --bare project bare.git
git clone -q --depth 3 "file://$PWD/bare.git" shallow; git -C shallow log --oneline | wc -l
cd copied; git remote add bare ../bare.git; echo pushed > pushed; git add pushed
git commit -qm Pushed
git push -q bare HEAD:refs/heads/pushed; git -C ../bare.git rev-parse pushed; cd ..
git -C project fetch -q ../bare.git pushed; git -C project rev-parse FETCH_HEAD
git -C project worktree add -q ../worktree v1; ls worktree | wc -l

echo "== storage"
cd project
git gc -q --prune=now; git count-objects -v | grep -E '^(count|in-pack|packs)'
git fsck --full --strict
git verify-pack .git/objects/pack/*.idx && echo "pack is sound"
git archive v1 | tar tf - | wc -l
git bundle create -q ../bundle main; git clone -q -b main ../bundle ../unbundled
git -C ../unbundled rev-parse HEAD
git bisect start HEAD first > bisected
git bisect run sh -c '! grep -q "change 18" d1/file1' > bisected
grep -c "is the first bad commit" bisected
mkdir ../hooks; printf '#!/bin/sh\necho refused >&2; exit 1\n' > ../hooks/pre-commit
chmod +x ../hooks/pre-commit
git bisect reset 2> /dev/null
git -c core.hooksPath=../hooks commit --allow-empty -qm Never 2> /dev/null || echo "hook refused"
