// Places an order, exactly once, and says which prices it moved.
//
//	go run place_order.go CUSTOMER PRODUCT QUANTITY [KEY]
//
// Run it again with the same KEY: the same order comes back and nothing is sold twice. Exit: 0 placed, 1 refused.
package main

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// RPCError is the daemon's refusal: Code and Data.Reason are for programs, the message is for people.
type RPCError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    struct {
		Reason       string `json:"reason"`
		Retryable    bool   `json:"retryable"`
		RetryAfterMs int    `json:"retryAfterMs"`
		ProductID    int64  `json:"productId"`
		Requested    int64  `json:"requested"`
		Available    int64  `json:"available"`
	} `json:"data"`
}

func (e *RPCError) Error() string { return e.Data.Reason + ": " + e.Message }

// Client goes on: it connects at the first call and again after a lost connection, and sends the same call again under its
// key. For one goroutine.
type Client struct {
	Path     string
	Patience time.Duration
	conn     net.Conn
	lines    *bufio.Reader
	id       int64
}

// socketPath is where the daemon listens, found as every client finds it.
func socketPath() string {
	if path := os.Getenv("PRICINGD_SOCKET"); path != "" {
		return path
	}
	if folder := os.Getenv("RUNTIME_DIRECTORY"); folder != "" {
		return folder + "/pricingd.sock"
	}
	session := os.Getenv("XDG_RUNTIME_DIR")
	own := fmt.Sprintf("/tmp/pricingd-%d/pricingd.sock", os.Getuid())
	if session != "" {
		own = session + "/pricingd/pricingd.sock"
	}
	_, missing := os.Stat("/run/pricingd/pricingd.sock")
	if _, err := os.Stat(own); (session != "" && err == nil) || missing != nil {
		return own
	}
	return "/run/pricingd/pricingd.sock"
}

// errDistrust: anybody may get to a path in /tmp first.
var errDistrust = errors.New("who serves there is neither root, nor you, nor the folder's keeper")

// connect gives a connection whose other end is root's, ours or that of the folder's keeper.
func connect(path string) (net.Conn, error) {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return nil, err
	}
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return nil, err
	}
	var peer *syscall.Ucred
	asked := raw.Control(func(fd uintptr) {
		peer, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	folder := filepath.Dir(path)
	place, looked := os.Lstat(folder)
	for _, err := range []error{asked, err, looked} {
		if err != nil {
			conn.Close()
			return nil, err
		}
	}
	keeper := int64(-1)
	if named, err := strconv.ParseInt(trim(folder, "/tmp/pricingd-"), 10, 64); err == nil {
		keeper = named
	} else if place.IsDir() {
		keeper = int64(place.Sys().(*syscall.Stat_t).Uid)
	}
	if uid := int64(peer.Uid); uid != 0 && uid != int64(os.Getuid()) && uid != keeper {
		conn.Close()
		return nil, errDistrust
	}
	return conn, nil
}

func trim(text, prefix string) string {
	if len(text) > len(prefix) && text[:len(prefix)] == prefix {
		return text[len(prefix):]
	}
	return ""
}

// Call gives the result of a call. A write happens once, however often it is sent, since it carries a key.
func (c *Client) Call(method string, params map[string]any, key string, result any) error {
	params["_meta"] = map[string]any{"idempotencyKey": key}
	end := time.Now().Add(c.Patience)
	for pause := 50 * time.Millisecond; ; pause = min(pause*2, time.Second) {
		err := c.attempt(method, params, end, result)
		wait := pause
		var refusal *RPCError
		switch {
		case err == nil || errors.Is(err, errDistrust):
			return err
		case errors.As(err, &refusal):
			if !refusal.Data.Retryable {
				return err
			}
			if refusal.Data.RetryAfterMs > 0 {
				wait = time.Duration(refusal.Data.RetryAfterMs) * time.Millisecond
			}
		default:
			c.Close()
		}
		// Scattered, so that not everybody who was refused comes back at once.
		wait = time.Duration(float64(wait) * (0.75 + mathrand.Float64()/2))
		if time.Now().Add(wait).After(end) {
			return err
		}
		time.Sleep(wait)
	}
}

func min(a, b time.Duration) time.Duration {
	if a < b {
		return a
	}
	return b
}

func (c *Client) attempt(method string, params map[string]any, end time.Time, result any) error {
	if c.conn == nil {
		conn, err := connect(c.Path)
		if err != nil {
			return err
		}
		c.conn, c.lines = conn, bufio.NewReader(conn)
	}
	c.conn.SetDeadline(end)
	c.id++
	request, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": c.id, "method": method, "params": params})
	if err != nil {
		return err
	}
	if _, err := c.conn.Write(append(request, '\n')); err != nil {
		return err
	}
	for {
		line, err := c.lines.ReadBytes('\n')
		if err != nil {
			return err
		}
		var message struct {
			ID     *int64          `json:"id"`
			Result json.RawMessage `json:"result"`
			Error  *RPCError       `json:"error"`
		}
		if err := json.Unmarshal(line, &message); err != nil {
			return err
		}
		if message.Error != nil {
			return message.Error
		}
		if message.ID != nil && *message.ID == c.id {
			return json.Unmarshal(message.Result, result)
		}
	}
}

// Close ends the connection; the next call makes another.
func (c *Client) Close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

func main() {
	var numbers [3]int64
	for i := range numbers {
		var err error
		if len(os.Args) <= i+1 {
			err = errors.New("too few words")
		} else {
			numbers[i], err = strconv.ParseInt(os.Args[i+1], 10, 64)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "place_order CUSTOMER PRODUCT QUANTITY [KEY]")
			os.Exit(1)
		}
	}
	fresh := make([]byte, 16)
	rand.Read(fresh)
	key := hex.EncodeToString(fresh)
	if len(os.Args) > 4 {
		key = os.Args[4]
	}
	client := &Client{Path: socketPath(), Patience: 30 * time.Second}
	defer client.Close()
	var order struct {
		OrderID      int64  `json:"orderId"`
		Total        string `json:"total"`
		PriceChanges []struct {
			ProductID int64  `json:"productId"`
			Old       string `json:"old"`
			New       string `json:"new"`
		} `json:"priceChanges"`
		Meta struct {
			Replayed bool `json:"replayed"`
		} `json:"_meta"`
	}
	params := map[string]any{
		"customerId": numbers[0],
		"lines":      []map[string]any{{"productId": numbers[1], "quantity": numbers[2]}},
	}
	if err := client.Call("order.place", params, key, &order); err != nil {
		var refusal *RPCError
		if errors.As(err, &refusal) && refusal.Data.Reason == "INSUFFICIENT_STOCK" {
			data := refusal.Data
			fmt.Fprintf(os.Stderr, "product %d: %d wanted, only %d available\n", data.ProductID, data.Requested, data.Available)
		} else {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	again := ""
	if order.Meta.Replayed {
		again = " (placed before, same key)"
	}
	fmt.Printf("order %d: %s%s\n", order.OrderID, order.Total, again)
	for _, move := range order.PriceChanges {
		fmt.Printf("  product %d: %s -> %s\n", move.ProductID, move.Old, move.New)
	}
}
