package main

import (
	"os"
	"path/filepath"
	"strings"
)

const changeLogName = "CHANGELOG.md"

// A changeLog has what this program reads in the change log.
type changeLog struct {
	releases []string          // the versions, newest first
	breaking map[string]string // the text below "### Breaking" of each version; the version "" is unreleased
}

func readChangeLog(root string) (changeLog, error) {
	text, err := os.ReadFile(filepath.Join(root, ".github", changeLogName))
	if err != nil {
		return changeLog{}, err
	}
	return parseChangeLog(string(text)), nil
}

// parseChangeLog reads the headings "## Unreleased", "## v0.2.0 - 2006-01-02" and
// "### Breaking".
func parseChangeLog(text string) changeLog {
	log := changeLog{breaking: make(map[string]string)}
	version, breaking := "", false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			version, breaking = "", false
			if heading != "Unreleased" {
				version, _, _ = strings.Cut(heading, " ")
				log.releases = append(log.releases, version)
			}
			continue
		}
		if heading, ok := strings.CutPrefix(line, "### "); ok {
			breaking = heading == "Breaking"
			continue
		}
		if breaking {
			log.breaking[version] += line + "\n"
		}
	}
	return log
}

// allows reports whether the change log allows an incompatible change of name after
// the release since, which it may before v1.0.0. It then names it in backquotes below
// "### Breaking", in a part that is newer than that release.
func (l changeLog) allows(name, since string) bool {
	if !strings.HasPrefix(since, "v0.") {
		return false
	}
	versions := append([]string{""}, l.releases...)
	for _, version := range versions {
		if version == since {
			return false
		}
		if strings.Contains(l.breaking[version], "`"+name+"`") {
			return true
		}
	}
	return false
}
