package examples

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// TestREADME compiles every Go block of the README as a program.
func TestREADME(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllSubmatch(text, -1)
	if len(blocks) == 0 {
		t.Fatal("the README has no Go blocks")
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for i, block := range blocks {
		t.Run(fmt.Sprintf("block %d", i+1), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			source := filepath.Join(dir, "main.go")
			if err := os.WriteFile(source, block[1], 0o600); err != nil {
				t.Fatal(err)
			}
			// An overlay makes the file part of this module, which requires all
			// modules that the block imports, without writing to its folder.
			overlay := filepath.Join(dir, "overlay.json")
			folder := filepath.Join(here, "readme")
			replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(folder, "main.go"): source}})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(overlay, replace, 0o600); err != nil {
				t.Fatal(err)
			}
			build := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", filepath.Join(dir, "program"), folder)
			if out, err := build.CombinedOutput(); err != nil {
				t.Errorf("does not compile: %v\n%s", err, out)
			}
		})
	}
}
